"""The files that a stock TF Serving is started with, written beside the exported models: see docs/serving.md."""

from pathlib import Path

from somaseg.files import replace_when_whole

OURS = "# Written anew by every somaseg export. Without this line the file is yours and stays as it is.\n"
GRPC_PORT, REST_PORT = 8500, 8501
METRICS = "/monitoring/prometheus/metrics"

BATCHING = """\
# For --enable_batching=true. Requests of one size that arrive together are run together: worth it on a GPU and with
# many clients; on a processor, which one tile keeps busy, it is not. Take less if the GPU's memory is short.
max_batch_size { value: 4 }
allowed_batch_sizes: 1
allowed_batch_sizes: 2
allowed_batch_sizes: 4
# A request waits at most 5 ms for others, which is little beside the time of a tile.
batch_timeout_micros { value: 5000 }
# Two batches at a time; 64 more may wait, then clients are told to come again, and ours do.
num_batch_threads { value: 2 }
max_enqueued_batches { value: 64 }
# Padding here would change what the network sees at the border and leave the maps too large.
pad_variable_length_inputs: false
"""

MONITORING = f"""\
# http://HOST:{REST_PORT}{METRICS} tells requests, errors and latencies to Prometheus.
prometheus_config {{
  enable: true
  path: "{METRICS}"
}}
"""

COMPOSE = f"""\
# In this folder: "docker compose up" on processors, "docker compose --profile gpu up somaseg-gpu" on an NVIDIA GPU.
x-serving: &serving
  ports:
    - "{GRPC_PORT}:{GRPC_PORT}"  # gRPC
    - "{REST_PORT}:{REST_PORT}"  # REST
  volumes:
    - ./:/models:ro
  restart: unless-stopped

services:
  somaseg:
    <<: *serving
    image: tensorflow/serving:latest
    command:
      - --model_config_file=/models/models.config
      - --model_config_file_poll_wait_seconds=60  # a model exported later is loaded without a restart
      - --monitoring_config_file=/models/monitoring.config
      - --rest_api_timeout_in_ms=120000  # the default, 30 s, is short for tiles that queue on a processor

  somaseg-gpu:
    <<: *serving
    profiles: [gpu]
    image: tensorflow/serving:latest-gpu
    command:
      - --model_config_file=/models/models.config
      - --model_config_file_poll_wait_seconds=60
      - --monitoring_config_file=/models/monitoring.config
      - --rest_api_timeout_in_ms=120000
      - --enable_batching=true
      - --batching_parameters_file=/models/batching.config
    deploy:
      resources:
        reservations:
          devices:
            - driver: nvidia
              count: 1
              capabilities: [gpu]
"""


def models_config(names):
    """The text of models.config for models in /models: a ModelServerConfig message, the latest two versions of each.

    >>> print(models_config(["soma"]).splitlines()[1])
    model_config_list {
    """
    entries = "".join(
        f'  config {{\n    name: "{name}"\n    base_path: "/models/{name}"\n    model_platform: "tensorflow"\n'
        "    model_version_policy { latest { num_versions: 2 } }\n  }\n"
        for name in names
    )
    return f"{OURS}model_config_list {{\n{entries}}}\n"


def write_serving_config(folder):
    """Write models.config, batching.config, monitoring.config and docker-compose.yml into a folder of exported models.

    models.config lists every model that is in the folder, and is written anew as long as its first line says that it is
    ours; the others are written where they are absent, so that what somebody changed stays.

    Args:
        folder: holds `<model>/<version>/saved_model.pb`.

    Returns:
        The paths written.
    """
    folder = Path(folder)
    models = folder / "models.config"
    names = sorted({path.parent.parent.name for path in folder.glob("*/*/saved_model.pb")})
    texts = {models: models_config(names)} if _may_write(models) else {}
    for name, text in (
        ("batching.config", BATCHING),
        ("monitoring.config", MONITORING),
        ("docker-compose.yml", COMPOSE),
    ):
        if not (folder / name).exists():
            texts[folder / name] = text
    for path, text in texts.items():
        with replace_when_whole(path) as partial:
            partial.write_text(text)
    return list(texts)


def _may_write(path):
    return not path.exists() or path.read_text().startswith(OURS)
