# Sightline on the CPU. Build: docker build -t sightline .
# Demo: docker run --rm --init --network host sightline        (page: http://127.0.0.1:8080)
# Yours: docker run --rm --init -p 8080:8080 -v "$PWD/my:/my:ro" -v sightline:/app/data sightline serve --config /my/sightline.yaml
# The package lists are those of scripts/setup/system-packages.mjs; a test compares them.

FROM node:22-bookworm-slim AS run
RUN apt-get update && apt-get install -y --no-install-recommends \
      ca-certificates \
      gstreamer1.0-libav \
      gstreamer1.0-plugins-bad \
      gstreamer1.0-plugins-base \
      gstreamer1.0-plugins-good \
      gstreamer1.0-plugins-ugly \
      gstreamer1.0-tools \
      libgstrtspserver-1.0-0 \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /app

FROM run AS build
RUN apt-get update && apt-get install -y --no-install-recommends \
      build-essential \
      cmake \
      libgstreamer-plugins-base1.0-dev \
      libgstreamer1.0-dev \
      libgstrtspserver-1.0-dev \
      libprotozero-dev \
      ninja-build \
      pkg-config \
      python3
COPY . .
RUN npm run setup && npm prune --omit=dev --ignore-scripts

FROM run
ENV NODE_ENV=production
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/build/Release/sightline.node ./build/Release/
COPY --from=build /app/build-native/plugin ./build-native/plugin
COPY --from=build /app/build-native/bin ./build-native/bin
COPY --from=build /app/.cache/demo-clip.mp4 ./.cache/
COPY --from=build /app/bin ./bin
COPY --from=build /app/dist ./dist
COPY --from=build /app/configs ./configs
COPY --from=build /app/models ./models
COPY --from=build /app/pipelines ./pipelines
COPY --from=build /app/proto ./proto
COPY --from=build /app/web ./web
RUN mkdir data && chown node:node data
USER node
VOLUME /app/data
EXPOSE 8080
HEALTHCHECK --start-period=20s CMD ["node", "-e", "fetch('http://127.0.0.1:8080/healthz').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "bin/sightline.js"]
CMD ["serve", "--config", "configs/demo.yaml"]
