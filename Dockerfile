# Sightline on the CPU, for x86-64 and ARM64. Build: docker build -t sightline .
# Demo: docker run --rm --init --network host sightline        (page: http://127.0.0.1:8080)
# Yours: docker run --rm --init -p 8080:8080 -v "$PWD/my:/my:ro" -v sightline:/app/data sightline serve --config /my/sightline.yaml
# The package lists are those of scripts/setup/system-packages.mjs; test/repo/dockerfiles.test.ts compares them and lints.
# `npm run check:docker` executes these steps without a container engine.
ARG NODE_IMAGE=node:22-bookworm-slim

FROM ${NODE_IMAGE} AS run
ARG DEBIAN_FRONTEND=noninteractive
RUN apt-get update && apt-get install -y --no-install-recommends \
      ca-certificates \
      gstreamer1.0-libav \
      gstreamer1.0-plugins-bad \
      gstreamer1.0-plugins-base \
      gstreamer1.0-plugins-good \
      gstreamer1.0-plugins-ugly \
      gstreamer1.0-tools \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /app

FROM run AS build
ARG DEBIAN_FRONTEND=noninteractive
RUN apt-get update && apt-get install -y --no-install-recommends \
      build-essential \
      cmake \
      libgstreamer-plugins-base1.0-dev \
      libgstreamer1.0-dev \
      libprotozero-dev \
      ninja-build \
      pkg-config \
      python3 \
    && rm -rf /var/lib/apt/lists/*
# What changes seldom comes first: npm packages, then the native parts, then everything.
COPY package.json package-lock.json .npmrc ./
COPY scripts/setup ./scripts/setup
RUN node scripts/setup/main.mjs --only npm
COPY binding.gyp ./
COPY native ./native
RUN node scripts/setup/main.mjs --only addon,plugin
COPY . .
# Set-up takes the demo clip out of a package of the distribution, so it needs fresh lists.
RUN apt-get update && npm run setup && npm prune --omit=dev --ignore-scripts

FROM run
LABEL org.opencontainers.image.title="Sightline" \
      org.opencontainers.image.description="Cameras in, object metadata out, on the CPU" \
      org.opencontainers.image.licenses="Apache-2.0"
ENV NODE_ENV=production \
    SIGHTLINE_HEALTH_URL=http://127.0.0.1:8080/healthz
# The server writes two folders: data/ (a volume) and .cache/ (GStreamer's registry).
RUN mkdir data .cache && chown node:node data .cache
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/build/Release/sightline.node ./build/Release/
COPY --from=build /app/build-native/plugin ./build-native/plugin
COPY --from=build /app/build-native/bin ./build-native/bin
COPY --from=build /app/.cache/demo-clip.mp4 ./.cache/
COPY --from=build /app/models ./models
COPY --from=build /app/bin ./bin
COPY --from=build /app/configs ./configs
COPY --from=build /app/pipelines ./pipelines
COPY --from=build /app/proto ./proto
COPY --from=build /app/web ./web
COPY --from=build /app/dist ./dist
VOLUME /app/data
EXPOSE 8080
# `node` by its number, so that Kubernetes sees that it is not root.
USER 1000:1000
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 CMD ["node", "-e", "fetch(process.env.SIGHTLINE_HEALTH_URL).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "bin/sightline.js"]
CMD ["serve", "--config", "configs/demo.yaml"]
