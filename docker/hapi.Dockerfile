# HAPI FHIR's image has no shell and no HTTP client, so nothing in it can ask the server how it is.
# One static program is added for the health check; the rest is as published.
FROM busybox:1.37.0-musl AS tools

FROM hapiproject/hapi:v8.8.0-1
COPY --from=tools /bin/wget /usr/bin/wget
USER 65532
HEALTHCHECK --interval=15s --timeout=10s --start-period=180s --retries=10 \
    CMD ["/usr/bin/wget", "-q", "-O", "/dev/null", "http://127.0.0.1:8080/fhir/metadata"]
