"""The files a server is started with: they parse, list the models, and what somebody changed stays."""

from pathlib import Path

import pytest
import yaml
from google.protobuf import text_format

from somaseg.export.serving_config import OURS, write_serving_config

NAMES = ["batching.config", "docker-compose.yml", "models.config", "monitoring.config"]
EXAMPLES = Path(__file__).parents[2] / "examples" / "serving"


@pytest.fixture
def exported(tmp_path):
    """A folder in which the model soma has been exported, in appearance."""
    add(tmp_path, "soma", 1)
    return tmp_path


def add(folder, model, version):
    (folder / model / str(version)).mkdir(parents=True)
    (folder / model / str(version) / "saved_model.pb").write_text("")


def test_models_config_lists_every_model_and_is_kept_up_to_date(exported):
    config = pytest.importorskip("tensorflow_serving.config.model_server_config_pb2")

    def listed():
        text = (exported / "models.config").read_text()
        entries = text_format.Parse(text, config.ModelServerConfig()).model_config_list.config
        assert {entry.model_platform for entry in entries} == {"tensorflow"}
        assert {entry.model_version_policy.latest.num_versions for entry in entries} == {2}
        return {entry.name: entry.base_path for entry in entries}

    written = write_serving_config(exported)
    assert sorted(path.name for path in written) == NAMES
    assert listed() == {"soma": "/models/soma"}
    add(exported, "soma", 2)
    add(exported, "nuclei", 5)
    assert [path.name for path in write_serving_config(exported)] == ["models.config"]
    assert listed() == {"nuclei": "/models/nuclei", "soma": "/models/soma"}


def test_what_somebody_changed_stays(exported):
    write_serving_config(exported)
    for name in NAMES:
        (exported / name).write_text("mine")
    assert write_serving_config(exported) == []
    assert {(exported / name).read_text() for name in NAMES} == {"mine"}


def test_batching_and_monitoring_parse_as_the_servers_messages(exported, messages):
    write_serving_config(exported)
    batching = text_format.Parse((exported / "batching.config").read_text(), messages("BatchingParameters"))
    assert batching.max_batch_size.value == max(batching.allowed_batch_sizes) == 4
    assert batching.batch_timeout_micros.value == 5000
    assert not batching.pad_variable_length_inputs
    monitoring = text_format.Parse((exported / "monitoring.config").read_text(), messages("MonitoringConfig"))
    assert monitoring.prometheus_config.enable
    assert monitoring.prometheus_config.path == "/monitoring/prometheus/metrics"


def test_the_services_of_the_compose_file_mount_the_folder_and_read_what_lies_in_it(exported):
    write_serving_config(exported)
    services = yaml.safe_load((exported / "docker-compose.yml").read_text())["services"]
    assert {name: service["image"] for name, service in services.items()} == {
        "somaseg": "tensorflow/serving:latest",
        "somaseg-gpu": "tensorflow/serving:latest-gpu",
    }
    assert services["somaseg-gpu"]["profiles"] == ["gpu"] and "profiles" not in services["somaseg"]
    for service in services.values():
        assert service["volumes"] == ["./:/models:ro"]
        assert service["ports"] == ["8500:8500", "8501:8501"]
        options = dict(option.removeprefix("--").split("=") for option in service["command"])
        for name in ("model_config_file", "monitoring_config_file", "batching_parameters_file"):
            if name in options:
                assert (exported / options[name].removeprefix("/models/")).is_file()


def test_the_examples_are_what_the_export_writes(exported):
    for path in write_serving_config(exported):
        assert (EXAMPLES / path.name).read_text() == path.read_text(), path.name
    assert (exported / "models.config").read_text().startswith(OURS)


@pytest.fixture(scope="module")
def messages():
    """Function from a message's name to an empty one; its fields are those of TensorFlow Serving's .proto files."""
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, wrappers_pb2

    file = descriptor_pb2.FileDescriptorProto(name="serving_settings.proto", package="settings", syntax="proto3")
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(wrappers_pb2.DESCRIPTOR.serialized_pb)
    file.dependency.append(wrappers_pb2.DESCRIPTOR.name)
    kinds = {
        "BatchingParameters": [
            *((name, ".google.protobuf.Int64Value", 1) for name in ("max_batch_size", "batch_timeout_micros")),
            *((name, ".google.protobuf.Int64Value", 1) for name in ("num_batch_threads", "max_enqueued_batches")),
            ("allowed_batch_sizes", descriptor_pb2.FieldDescriptorProto.TYPE_INT64, 3),
            ("pad_variable_length_inputs", descriptor_pb2.FieldDescriptorProto.TYPE_BOOL, 1),
        ],
        "PrometheusConfig": [
            ("enable", descriptor_pb2.FieldDescriptorProto.TYPE_BOOL, 1),
            ("path", descriptor_pb2.FieldDescriptorProto.TYPE_STRING, 1),
        ],
        "MonitoringConfig": [("prometheus_config", ".settings.PrometheusConfig", 1)],
    }
    for name, fields in kinds.items():
        message = file.message_type.add(name=name)
        for number, (field, kind, label) in enumerate(fields, start=1):
            added = message.field.add(name=field, number=number, label=label)
            if isinstance(kind, str):
                added.type, added.type_name = descriptor_pb2.FieldDescriptorProto.TYPE_MESSAGE, kind
            else:
                added.type = kind
    pool.Add(file)
    return lambda name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"settings.{name}"))()
