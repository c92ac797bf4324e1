# One image for the app, the scoring service and the monitor (compose.yaml). It needs the network to build, none to run.
FROM python:3.12-slim

# LightGBM needs OpenMP's runtime; nothing else is missing in the base image.
RUN apt-get update \
 && apt-get install --yes --no-install-recommends libgomp1 \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --uid 10001 --create-home clv \
 && install --directory --owner clv /data

WORKDIR /app
COPY requirements.txt assets/constraints.txt ./
# PyTorch's own index has a build without CUDA, a tenth of the size; all else comes from PyPI.
RUN pip install --no-cache-dir --index-url https://download.pytorch.org/whl/cpu "$(grep ^torch constraints.txt)" \
 && pip install --no-cache-dir --constraint constraints.txt --requirement requirements.txt "adbc-driver-postgresql>=1.11" "pymysql>=1.1"
COPY app.py ./
COPY .streamlit/config.toml .streamlit/
COPY assets assets
COPY pages pages
COPY clv_core clv_core

ENV CLV_WORKSPACE=/data/workspace \
    OMP_NUM_THREADS=1 \
    PYTHONUNBUFFERED=1
USER clv
VOLUME /data
EXPOSE 8501 8000

CMD ["python", "-m", "pages.ui", "--server.address", "0.0.0.0", "--server.port", "8501"]
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
  CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8501/_stcore/health', timeout=4)"]
