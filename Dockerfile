# A worker, or any other command of fillsafe: `docker run … fillsafe worker|submit|status|…`.
# Debian, not Alpine: Temporal's native core is built for glibc.
FROM node:22-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY . .
# The build bundles the workflows, which saves every worker 90 MB of webpack; of the native cores only this platform's stays.
RUN npm run build \
 && npm prune --omit=dev --no-audit --no-fund \
 && find node_modules/@temporalio/core-bridge/releases -mindepth 1 -maxdepth 1 ! -name "$(uname -m)-unknown-linux-gnu" -exec rm -r {} + \
 && find src -type f ! -name '*.lua' -delete

FROM node:22-bookworm-slim
ENV NODE_ENV=production FILLSAFE_METRICS__HOST=0.0.0.0
WORKDIR /app
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/config ./config
COPY --from=build /app/src ./src
COPY --from=build /app/bin ./bin
COPY --from=build /app/dist ./dist
USER node
EXPOSE 9464
HEALTHCHECK --interval=5s --timeout=3s --start-period=30s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:9464/readyz').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "bin/fillsafe.js"]
CMD ["worker"]
