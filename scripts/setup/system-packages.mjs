// The system packages, by purpose, each with its reason. The Dockerfile installs the same lists (a test compares).
// The names are those of Debian 12, Ubuntu 22.04 and Ubuntu 24.04.

/** What a machine that runs Sightline needs. */
export const RUN = [
  ['ca-certificates', 'trusts the servers of HTTPS, MQTTS and RTSPS'],
  ['gstreamer1.0-plugins-base', 'converts and scales pictures'],
  ['gstreamer1.0-plugins-good', 'receives RTSP, reads MP4, writes JPEG'],
  ['gstreamer1.0-plugins-bad', 'parses H.264 and H.265'],
  ['gstreamer1.0-plugins-ugly', 'encodes H.264 (the demo clip)'],
  ['gstreamer1.0-libav', 'decodes H.264 and H.265 on the CPU'],
  ['gstreamer1.0-tools', 'gst-launch and gst-inspect, for set-up and `sightline doctor`'],
];

/** What building needs beyond that. The `first` ones are installed first: the longest compilation needs no more. */
export const BUILD = [
  ['build-essential', 'compiles the addon, the plugin and SQLite', { first: true }],
  ['cmake', 'builds the plugin'],
  ['ninja-build', 'builds it in parallel'],
  ['pkg-config', 'finds GStreamer'],
  ['python3', 'node-gyp, which builds the addon, is written in it', { first: true }],
  ['libgstreamer1.0-dev', 'GStreamer headers'],
  ['libgstreamer-plugins-base1.0-dev', 'GStreamer video, RTP and app headers'],
  ['libprotozero-dev', 'writes protobuf in C++ (headers only)'],
];

/** What running on DeepStream needs beyond RUN, on Ubuntu 24.04; Dockerfile.deepstream installs it, set-up does not. */
export const DEEPSTREAM = [['libmosquitto1', "NVIDIA's tracker library loads it"]];

/** What the tests need beyond that. `only` limits a package to distributions where it is a real one. */
export const TEST = [
  ['libgtest-dev', 'GoogleTest, for the native tests'],
  ['libgstrtspserver-1.0-dev', 'an RTSP server of another make, for the native tests and a relay'],
  ['clang-format-14', 'checks the C++ formatting'],
  ['mosquitto', 'a real MQTT 5 broker to test against'],
  ['libfaketime', 'steps the clock of processes, for the tests of timers'],
  // Ubuntu has no chromium package, only a stub that asks for a snap: there the page test looks for any browser.
  ['chromium', 'a real browser to test the page with', { only: 'debian' }],
];

/** Servers that tests of single sinks start. Where they cannot be had, those tests are left out and say so. */
export const TEST_SERVERS = [
  ['rabbitmq-server', 'a real AMQP 0-9-1 broker to test against'],
  ['openjdk-17-jre-headless', 'runs Apache Kafka, to test against'],
  ['maven', 'fetches Apache Kafka'],
  ['python3-venv', 'runs the Python examples and moto, which stands in for AWS'],
];

const BY_PURPOSE = {
  run: [...RUN, ...BUILD],
  test: [...RUN, ...BUILD, ...TEST],
  'test-servers': TEST_SERVERS,
};

/** The packages for `npm start` ('run'), `npm test` ('test') and its optional part ('test-servers') on a distribution (ID of /etc/os-release). */
export function packagesFor(purpose, distribution) {
  return BY_PURPOSE[purpose]
    .filter(([, , limits]) => limits?.only === undefined || limits.only === distribution)
    .map(([name, reason, limits]) => ({ name, reason, first: limits?.first === true }));
}
