# The service as a small image: built in one stage, run by an unprivileged user in the next.
# Nothing secret belongs in here: settings and secrets come from the environment at run time.

FROM python:3.13.7-slim-bookworm AS build
WORKDIR /src
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1

# Dependencies first, so that a change of the code does not install them again.
COPY requirements.txt requirements-build.txt ./
RUN python -m venv /opt/cds \
    && /opt/cds/bin/pip install --require-hashes --only-binary=:all: --requirement requirements.txt \
    && pip install --require-hashes --only-binary=:all: --requirement requirements-build.txt

COPY pyproject.toml README.md LICENSE ./
COPY schemas schemas
COPY fhir_fixtures fhir_fixtures
COPY cds_service cds_service
RUN pip wheel --no-deps --no-build-isolation --wheel-dir dist . \
    && /opt/cds/bin/pip install --no-deps dist/*.whl


FROM python:3.13.7-slim-bookworm
LABEL org.opencontainers.image.title="paravertebral-cds" \
      org.opencontainers.image.description="CDS Hooks service for the coding and documentation of paravertebral blocks" \
      org.opencontainers.image.licenses="Apache-2.0"

# A number, so that an orchestrator can see that it is not root; /data is for the embedded database.
RUN useradd --system --uid 10001 --home-dir /data --create-home cds
COPY --from=build /opt/cds /opt/cds

ENV PATH=/opt/cds/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    CDS_HOST=0.0.0.0 \
    CDS_PORT=8080 \
    CDS_DATABASE_URL=sqlite:////data/cds.db
WORKDIR /data
USER 10001
EXPOSE 8080
VOLUME /data

# An answer other than 200 raises, and so does no answer: both end with a status that is not 0.
HEALTHCHECK --interval=15s --timeout=5s --start-period=10s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen('http://127.0.0.1:' + os.environ['CDS_PORT'] + '/readyz', timeout=4)"]

ENTRYPOINT ["cds-service"]
CMD ["serve"]
