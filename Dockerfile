# Both programs. The runner:  docker build -t qualinet .
#                The bridge:  docker build -t qualinet-bridge --target bridge .

FROM node:24-bookworm-slim AS build
WORKDIR /src
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY . .
RUN npm run build && npm pack --ignore-scripts --pack-destination /out

FROM node:24-bookworm-slim AS bridge
ENV NODE_ENV=production \
    HOST=0.0.0.0 \
    PORT=4870 \
    QUALINET_DATA_DIR=/data
# PUBLIC_URL must be given: runners sign their requests for it.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends tini \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --create-home --uid 10001 qualinet \
    && install -d -o qualinet -g qualinet -m 0700 /data
COPY --from=build /src/dist/bridge /opt/qualinet/dist/bridge
COPY --from=build /src/bin/qualinet-bridge.js /opt/qualinet/bin/qualinet-bridge.js
COPY --from=build /src/package.json /opt/qualinet/package.json
RUN ln -s /opt/qualinet/bin/qualinet-bridge.js /usr/local/bin/qualinet-bridge
USER qualinet
VOLUME /data
EXPOSE 4870
ENTRYPOINT ["tini", "--", "qualinet-bridge"]
CMD ["serve"]

# The last stage is what `docker build .` makes.
FROM node:24-bookworm-slim AS runner
ENV NODE_ENV=production \
    QUALINET_HOME=/home/qualinet/.qualinet \
    QUALINET_BROWSER=/usr/lib/chromium/chromium-headless-shell
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates chromium-headless-shell fonts-liberation tini \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --create-home --uid 10001 qualinet \
    && install -d -o qualinet -g qualinet -m 0700 /home/qualinet/.qualinet
COPY --from=build /out/*.tgz /tmp/qualinet.tgz
RUN npm install --global --ignore-scripts --no-audit --no-fund /tmp/qualinet.tgz && rm /tmp/qualinet.tgz
USER qualinet
VOLUME /home/qualinet/.qualinet
ENTRYPOINT ["tini", "--", "qualinet"]
CMD ["start"]
