#include "core/infer/engine.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <thread>

#include "core/error.h"
#include "tests/support/detector_files.h"

// The inference engine without an element; here because these tests know where ONNX Runtime is.
namespace sightline::test {
namespace {

EngineOptions Options(const std::string& model) {
  EngineOptions options;
  options.library_path = OnnxRuntime();
  options.model_path = FixtureModel(model);
  return options;
}

std::vector<float> Floats(const TensorView& tensor) {
  return {tensor.floats(), tensor.floats() + CountElements(tensor.dims)};
}

TEST(Engine, IsSharedByEqualOptionsAndEndsWithTheLast) {
  const EngineOptions options = Options("fixed-boxes.onnx");
  std::shared_ptr<Engine> first = Engine::Acquire(options);
  EXPECT_EQ(Engine::Acquire(options), first);
  EngineOptions other = options;
  other.intra_op_threads = 2;
  EXPECT_NE(Engine::Acquire(other), first);
  EngineOptions batched = options;
  batched.batch_size = 2;
  EXPECT_NE(Engine::Acquire(batched), first);
  EngineOptions elsewhere = options;
  elsewhere.provider.wanted = Provider::kCuda;
  EXPECT_NE(Engine::Acquire(elsewhere), first);
  const std::weak_ptr<Engine> gone = first;
  first.reset();
  EXPECT_TRUE(gone.expired());
}

TEST(Engine, KnowsTheModelsShapes) {
  const auto engine = Engine::Acquire(Options("fixed-boxes.onnx"));
  EXPECT_EQ(engine->channels(), 3);
  EXPECT_EQ(engine->height(), 48);
  EXPECT_EQ(engine->width(), 64);
  ASSERT_EQ(engine->outputs().size(), 1u);
  EXPECT_EQ(Describe(engine->outputs()), "detections [3,6] float32");
}

TEST(Engine, RunsIntoTheSameMemoryEachTime) {
  const auto engine = Engine::Acquire(Options("fixed-boxes.onnx"));
  const auto request = engine->CreateRequest();
  const void* memory = request->outputs()[0].data;
  ASSERT_NE(memory, nullptr);
  for (const float value : {0.25f, 0.5f}) {
    std::fill_n(request->input(), 3 * 48 * 64, value);
    engine->Run(*request);
    EXPECT_EQ(request->outputs()[0].data, memory);
    EXPECT_EQ(request->batched_with(), 1);
    EXPECT_EQ(Floats(request->outputs()[0]),
              (std::vector<float>{8, 6, 24, 18, 0.5f, 0, 32, 24, 80, 48, 0.75f, 1, 0, 0, 64, 48,
                                  value, 2}));
  }
}

TEST(Engine, TakesChannelsLast) {
  EngineOptions options = Options("channels-last.onnx");
  options.channels_last = true;
  const auto engine = Engine::Acquire(options);
  EXPECT_EQ(engine->channels(), 3);
  EXPECT_EQ(engine->height(), 2);
  EXPECT_EQ(engine->width(), 2);
  const auto request = engine->CreateRequest();
  for (int i = 0; i < 12; ++i) request->input()[i] = static_cast<float>(i);
  engine->Run(*request);
  EXPECT_EQ(Floats(request->outputs()[0]),
            (std::vector<float>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}));
}

TEST(Engine, TakesAnOpenSizeAndOutputsOfIt) {
  for (const int batch : {1, 2}) {
    EngineOptions options = Options("open-size.onnx");
    options.channels = 3;
    options.height = 1;
    options.width = 2;
    options.batch_size = batch;
    options.batch_wait_us = 0;
    const auto engine = Engine::Acquire(options);
    EXPECT_EQ(Describe(engine->outputs()), "output [6,2] float32");
    const auto request = engine->CreateRequest();
    for (int i = 0; i < 6; ++i) request->input()[i] = static_cast<float>(i);
    engine->Run(*request);
    EXPECT_EQ(Floats(request->outputs()[0]),
              (std::vector<float>{0, 1, 2, 3, 4, 5, 0, 1, 2, 3, 4, 5}));
  }
}

TEST(Engine, GivesSeveralOutputsOrThoseAskedFor) {
  EngineOptions options = Options("labelled.onnx");
  const auto all = Engine::Acquire(options);
  EXPECT_EQ(Describe(all->outputs()), "boxes [2,4] float32, scores [2] float32, labels [2] int64");
  options.output_names = {"labels", "boxes"};
  const auto engine = Engine::Acquire(options);
  EXPECT_EQ(Describe(engine->outputs()), "labels [2] int64, boxes [2,4] float32");
  const auto request = engine->CreateRequest();
  engine->Run(*request);
  const int64_t* labels = request->outputs()[0].integers();
  EXPECT_EQ(labels[0], 2);
  EXPECT_EQ(labels[1], 0);
  EXPECT_FLOAT_EQ(request->outputs()[1].floats()[3], 0.75f);
}

// Many threads at once, alone and in batches: each finds its own picture's result.
TEST(Engine, ServesManyThreads) {
  for (const int batch_size : {1, 4}) {
    EngineOptions options = Options("fixed-boxes.onnx");
    options.batch_size = batch_size;
    const auto engine = Engine::Acquire(options);
    std::vector<std::thread> threads;
    std::vector<int> wrong(6, 0);
    std::vector<int> most(6, 0);
    for (size_t t = 0; t < wrong.size(); ++t) {
      threads.emplace_back([&, t] {
        const auto request = engine->CreateRequest();
        const float value = 0.125f * static_cast<float>(t + 1);
        std::fill_n(request->input(), 3 * 48 * 64, value);
        for (int i = 0; i < 100; ++i) {
          engine->Run(*request);
          if (request->outputs()[0].floats()[16] != value) ++wrong[t];
          most[t] = std::max(most[t], request->batched_with());
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(wrong, std::vector<int>(6, 0));
    for (const int count : most) EXPECT_LE(count, batch_size);
  }
}

TEST(Engine, FailsOnAMissingModelAndStaysUsable) {
  EngineOptions options = Options("none.onnx");
  for (int i = 0; i < 2; ++i) {
    try {
      Engine::Acquire(options);
      FAIL() << "no error";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kNotFound);
    }
  }
  EXPECT_NE(Engine::Acquire(Options("fixed-boxes.onnx")), nullptr);
}

}  // namespace
}  // namespace sightline::test
