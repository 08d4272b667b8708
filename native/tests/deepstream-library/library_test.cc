#include <gst/gst.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "tests/support/test_pipeline.h"

// A process that has not loaded DeepStream's libraries. The order of the tests is that of an
// installation: nothing, something wrong, the right thing; what is loaded stays loaded.
namespace sightline::test {
namespace {

std::string Error(const std::string& properties, const char* domain_text) {
  TestPipeline pipeline("videotestsrc num-buffers=1 ! " + properties + " ! fakesink");
  gst_element_set_state(pipeline.get(), GST_STATE_PLAYING);
  GstBus* bus = gst_element_get_bus(pipeline.get());
  GstMessage* message = gst_bus_timed_pop_filtered(bus, TestPipeline::kLimit, GST_MESSAGE_ERROR);
  gst_object_unref(bus);
  if (message == nullptr) return "no error within the limit";
  GError* error = nullptr;
  gst_message_parse_error(message, &error, nullptr);
  EXPECT_STREQ(g_quark_to_string(error->domain), domain_text);
  const std::string text = error->message;
  g_error_free(error);
  gst_message_unref(message);
  return text;
}

constexpr char kResource[] = "gst-resource-error-quark";
constexpr char kLibrary[] = "gst-library-error-quark";

TEST(DeepStreamLibraryTest, WithoutLibrariesTheElementSaysWhatToInstall) {
  for (const std::string element : {"sldsmeta", "sldssample"}) {
    const std::string text = Error(element + " deepstream-library-dir=/nowhere", kResource);
    EXPECT_NE(text.find("libnvds_meta.so"), std::string::npos) << text;
    EXPECT_NE(text.find("/nowhere/libnvds_meta.so"), std::string::npos) << text;
    EXPECT_NE(text.find("Install DeepStream 9"), std::string::npos) << text;
    EXPECT_NE(text.find("SIGHTLINE_DEEPSTREAM_LIBDIR"), std::string::npos) << text;
  }
}

// A folder in which these libraries lie.
class LibraryFolder {
 public:
  explicit LibraryFolder(std::initializer_list<const char*> libraries) {
    std::string name = (std::filesystem::temp_directory_path() / "sightline-libs-XXXXXX").string();
    folder_ = mkdtemp(name.data());
    for (const std::filesystem::path library : libraries) {
      std::filesystem::create_symlink(library, folder_ / library.filename());
    }
  }
  ~LibraryFolder() { std::filesystem::remove_all(folder_); }
  std::string path() const { return folder_.string(); }

 private:
  std::filesystem::path folder_;
};

TEST(DeepStreamLibraryTest, OneLibraryIsNotEnough) {
  const LibraryFolder folder({WRONG_META});
  const std::string text = Error("sldsmeta deepstream-library-dir=" + folder.path(), kResource);
  EXPECT_NE(text.find(folder.path() + "/libnvdsgst_meta.so"), std::string::npos) << text;
}

TEST(DeepStreamLibraryTest, AMissingFunctionIsNamed) {
  const LibraryFolder folder({WRONG_META, WRONG_GST_META});
  const std::string text = Error("sldsmeta deepstream-library-dir=" + folder.path(), kLibrary);
  EXPECT_NE(text.find("libnvds_meta.so has no function nvds_acquire_meta_lock"), std::string::npos)
      << text;
}

TEST(DeepStreamLibraryTest, TheEnvironmentNamesTheFolder) {
  ASSERT_EQ(setenv("SIGHTLINE_DEEPSTREAM_LIBDIR", STAND_IN_FOLDER, 1), 0);
  TestPipeline pipeline("videotestsrc num-buffers=1 ! sldsmeta ! fakesink");
  EXPECT_EQ(pipeline.RunToEnd(), "") << "buffers without a batch are not an error";
}

}  // namespace
}  // namespace sightline::test
