#!/bin/sh
# Makes GStreamer whole in an image of NVIDIA DeepStream. Runs as root while the image is built, after apt-get install of
# the GStreamer packages; needs the network of apt alone.
#
# - NVIDIA deletes free codecs and their libraries from its images. Its own user_additional_install.sh installs them again.
#   That script goes on after an error, so what it should have done is checked here.
# - It does not bring back every library that was deleted (libswresample on Jetson, which libav needs).
# - Its patched RTP plugins (a camera that is slow or ends a stream hangs GStreamer 1.24.2's) lie in /tmp99 and are copied
#   by that script. Reinstalling a package afterwards would bring Ubuntu's back, so they are copied once more, at the end.
#   Where there is no /tmp99 they can be built with NVIDIA's scripts/rtpmanager/update_rtpmanager.sh (a compiler, a clone
#   of GStreamer, minutes); this is not done here.
# - The reinstalled plugins bring GStreamer's own nvcodec plugin, which NVIDIA had deleted: its nvjpegenc would hide
#   DeepStream's element of the same name.
set -eu
export DEBIAN_FRONTEND=noninteractive

plugins=/usr/lib/$(uname -m)-linux-gnu/gstreamer-1.0
nvidia_script=/opt/nvidia/deepstream/deepstream/user_additional_install.sh

apt-get update
bash "$nvidia_script"
apt-get install -y --no-install-recommends --reinstall libswresample4 libswscale7

for plugin in libgstrtpmanager.so libgstrtsp.so libgstvideoparsersbad.so; do
  if [ -e "/tmp99/$plugin" ]; then
    cp "/tmp99/$plugin" "$plugins/$plugin"
  else
    echo "restore-codecs: no /tmp99/$plugin in this image: Ubuntu's unpatched plugin stays" >&2
  fi
done
rm -f "$plugins/libgstnvcodec.so"
rm -rf /var/lib/apt/lists/* "${HOME:-/root}/.cache/gstreamer-1.0" /home/*/.cache/gstreamer-1.0

# A registry of its own, thrown away: what fails to load without a GPU must not be remembered.
GST_REGISTRY=$(mktemp)
export GST_REGISTRY
trap 'rm -f "$GST_REGISTRY"' EXIT
for element in avdec_h264 avdec_h265 x264enc h264parse h265parse rtspsrc rtpjitterbuffer qtdemux jpegenc; do
  if ! gst-inspect-1.0 --exists "$element"; then
    echo "restore-codecs: GStreamer still lacks $element" >&2
    exit 1
  fi
done
