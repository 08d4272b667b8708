#include "deepstream/meta_library.h"

#include <dlfcn.h>

#include <cstdlib>
#include <memory>
#include <mutex>

#include "core/error.h"

namespace {

using sightline::Error;
using sightline::ErrorKind;

constexpr char kGstLibrary[] = "libnvdsgst_meta.so";
constexpr char kMetaLibrary[] = "libnvds_meta.so";
constexpr char kDefaultFolder[] = "/opt/nvidia/deepstream/deepstream/lib";
constexpr char kFolderVariable[] = "SIGHTLINE_DEEPSTREAM_LIBDIR";

struct CloseLibrary {
  void operator()(void* handle) const { dlclose(handle); }
};
using Library = std::unique_ptr<void, CloseLibrary>;

std::string FolderOrDefault(const std::string& folder) {
  if (!folder.empty()) return folder;
  const char* variable = std::getenv(kFolderVariable);
  return variable != nullptr && *variable != '\0' ? variable : kDefaultFolder;
}

Library Open(const char* name, const std::string& folder) {
  constexpr int kFlags = RTLD_NOW | RTLD_GLOBAL;
  if (void* handle = dlopen(name, kFlags)) return Library(handle);
  const std::string path = folder + "/" + name;
  if (void* handle = dlopen(path.c_str(), kFlags)) return Library(handle);
  const char* reason = dlerror();
  throw Error(ErrorKind::kNotFound,
              std::string("Cannot load NVIDIA's ") + name +
                  ", which reads DeepStream's metadata: " +
                  (reason != nullptr ? reason : "no reason given") +
                  ". Install DeepStream 9, or name the folder of " + kMetaLibrary + " and " +
                  kGstLibrary + " in deepstream-library-dir or " + kFolderVariable +
                  "; on a machine without an NVIDIA GPU run the pipeline with accelerator: cpu");
}

template <class Function>
void Find(void* library, const char* symbol, Function* function) {
  *function = reinterpret_cast<Function>(dlsym(library, symbol));
}

// The API type must be known before a buffer can be asked for it.
void RegisterApi(void* library) {
  GType (*api_type)() = nullptr;
  Find(library, "nvds_meta_api_get_type", &api_type);
  if (api_type != nullptr) api_type();
}

MetaLibrary FindAll(void* gst_library, void* meta_library) {
  MetaLibrary found;
  Find(gst_library, "gst_buffer_get_nvds_batch_meta", &found.batch_of);
  Find(meta_library, "nvds_acquire_meta_lock", &found.lock);
  Find(meta_library, "nvds_release_meta_lock", &found.unlock);
  return found;
}

bool IsComplete(const MetaLibrary& found) {
  return found.batch_of != nullptr && found.lock != nullptr && found.unlock != nullptr;
}

MetaLibrary Load(const std::string& folder) {
  const MetaLibrary loaded = FindAll(RTLD_DEFAULT, RTLD_DEFAULT);
  if (IsComplete(loaded)) {
    RegisterApi(RTLD_DEFAULT);
    return loaded;
  }
  // libnvdsgst_meta.so needs the other one.
  Library meta_library = Open(kMetaLibrary, folder);
  Library gst_library = Open(kGstLibrary, folder);
  const MetaLibrary found = FindAll(gst_library.get(), meta_library.get());
  if (!IsComplete(found)) {
    const bool gst_lacks = found.batch_of == nullptr;
    const char* symbol = gst_lacks               ? "gst_buffer_get_nvds_batch_meta"
                         : found.lock == nullptr ? "nvds_acquire_meta_lock"
                                                 : "nvds_release_meta_lock";
    throw Error(ErrorKind::kLibrary, std::string(gst_lacks ? kGstLibrary : kMetaLibrary) +
                                         " has no function " + symbol +
                                         "; this is not the library of DeepStream 9: install that, "
                                         "or name its folder in deepstream-library-dir");
  }
  RegisterApi(gst_library.get());
  meta_library.release();
  gst_library.release();
  return found;
}

}  // namespace

const MetaLibrary& LoadMetaLibrary(const std::string& folder) {
  static std::mutex mutex;
  static MetaLibrary library;
  const std::lock_guard<std::mutex> lock(mutex);
  if (!IsComplete(library)) library = Load(FolderOrDefault(folder));
  return library;
}
