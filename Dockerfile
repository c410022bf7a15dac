# Two stages: the first installs, the second holds only what runs. No compiler, no package list, no root in the second.
ARG PYTHON_IMAGE=python:3.11-slim-bookworm

FROM ${PYTHON_IMAGE} AS build
# PyTorch's index of processor-only builds. For a GPU name one of its CUDA indexes instead.
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1
WORKDIR /src
RUN python -m venv /opt/rag
# torch first and alone, so that nothing else chooses a build of it; this layer changes least.
RUN /opt/rag/bin/pip install --no-deps --index-url "${TORCH_INDEX}" torch==2.13.0
COPY constraints.txt pyproject.toml README.md ./
COPY ingest ./ingest
COPY rag_app ./rag_app
RUN /opt/rag/bin/pip install -c constraints.txt .
# The model that groups the inbox, 440 MB. Without it the inbox groups by the smaller one.
COPY scripts/inbox_model.py ./scripts/
RUN /opt/rag/bin/python scripts/inbox_model.py

FROM ${PYTHON_IMAGE}
RUN groupadd --system --gid 10001 rag \
    && useradd --system --uid 10001 --gid rag --home-dir /data --no-create-home --shell /usr/sbin/nologin rag \
    && install -d -o rag -g rag -m 0700 /data
COPY --from=build /opt/rag /opt/rag
COPY docs_corpus /opt/docs_corpus
ENV PATH=/opt/rag/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    HF_HUB_OFFLINE=1 \
    HF_HOME=/data/hub \
    RAG_HOME=/data/home \
    RAG_HOST=0.0.0.0 \
    RAG_PORT=7860
USER rag
WORKDIR /data
VOLUME ["/data"]
EXPOSE 7860
# /healthz is the one address that answers without the password.
HEALTHCHECK --interval=30s --timeout=5s --start-period=120s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:7860/healthz', timeout=4).close()"]
CMD ["rag", "serve", "--handbook", "/opt/docs_corpus"]
