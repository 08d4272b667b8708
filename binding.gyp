{
  # The N-API addon: build/Release/sightline.node. It links GStreamer's core, app and RTSP libraries and
  # nothing else; elements come from plugins. Everything but this file's job is CMake's (native/).
  "targets": [
    {
      "target_name": "sightline",
      "sources": [
        "native/addon/addon.cc",
        "native/addon/black_box.cc",
        "native/addon/buffer_watch.cc",
        "native/addon/bus_events.cc",
        "native/addon/dot.cc",
        "native/addon/dynamic_link.cc",
        "native/addon/element.cc",
        "native/addon/event_queue.cc",
        "native/addon/assembly.cc",
        "native/addon/graph_reader.cc",
        "native/addon/gvalue_json.cc",
        "native/addon/json.cc",
        "native/addon/log_capture.cc",
        "native/addon/loop_thread.cc",
        "native/addon/main_loop.cc",
        "native/addon/output.cc",
        "native/addon/pipeline.cc",
        "native/addon/pipeline_bus.cc",
        "native/addon/pipeline_object.cc",
        "native/addon/pipeline_properties.cc",
        "native/addon/property.cc",
        "native/addon/record.cc",
        "native/addon/record_writer.cc",
        "native/addon/redirect_guard.cc"
      ],
      "include_dirs": ["native"],
      "dependencies": [
        "<!(node -p \"require('node-addon-api').targets\"):node_addon_api_except_all"
      ],
      # The second: a throw while its environment ends is dropped instead of aborting the process.
      "defines": ["NAPI_VERSION=8", "NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS"],
      "cflags": ["-Wall", "-Wextra", "-fvisibility=hidden", "<!@(pkg-config --cflags gstreamer-1.0 gstreamer-app-1.0 gstreamer-rtsp-1.0)"],
      "cflags_cc": ["-std=c++17"],
      "libraries": ["<!@(pkg-config --libs gstreamer-1.0 gstreamer-app-1.0 gstreamer-rtsp-1.0)"]
    }
  ]
}
