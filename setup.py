"""Packaging: core dependencies with lower bounds, extras, the console script, and the shipped presets in the wheel."""

import re
from pathlib import Path

from setuptools import find_packages, setup

ROOT = Path(__file__).parent
VERSION = re.search(r'__version__ = "(.+)"', (ROOT / "somaseg/__init__.py").read_text()).group(1)

EXTRAS = {
    "test": [
        "pytest>=8",
        "pytest-xdist>=3.5",
        "dill>=0.3.8",
        "hypothesis>=6.100",
        "ruff>=0.8",
        "ai-edge-litert>=2.0",
        "bioimageio.spec>=0.5.14",
        "geff>=1.1",
        "onnx>=1.17",
        "onnxruntime>=1.20",
        "openvino>=2025.0",
        "playwright>=1.40",  # opens the report in Chromium, where there is one
        "py-ctcmetrics>=1.3.3",
        "pycocotools>=2.0.8",
        "pyyaml>=6",
        "stardist>=0.9",
        "statsmodels>=0.14.2",
        "tensorflow-serving-api>=2.18",
    ],
    "linkers": ["laptrack>=0.17", "trackpy>=0.7"],  # other linkers, for --linker and benchmarks/linking.py
    "bio": ["bioio>=1.2", "bioio-nd2>=1.0", "bioio-lif>=1.0"],  # bioio-czi (CZI) is GPL-3: users add it
    "bioimageio": ["bioimageio.spec>=0.5.14", "onnx>=1.17"],
    "geff": ["geff>=1.1"],
    "litert": ["ai-edge-litert>=2.0"],
    "onnx": ["onnx>=1.17", "onnxruntime>=1.20"],
    "openvino": ["openvino>=2025.0", "onnx>=1.17"],
    "score": ["py-ctcmetrics>=1.3.3"],  # with scikit-learn, 60 MB
    "serving": ["tensorflow-serving-api>=2.18"],  # gRPC, and the warm-up requests of an export
    "stats": ["statsmodels>=0.14.2"],  # what somaseg compare models groups with
    "tfds": ["apache-beam>=2.65", "mlcroissant>=1.0"],  # what the tfds command of TFDS 4.9.10 imports
    "zarr": ["zarr>=3.0"],
}

setup(
    name="somaseg",
    version=VERSION,
    description="Soma outlines, tracks and migration statistics from movies of migrating neurons",
    long_description=(ROOT / "README.md").read_text(),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    license_files=["LICENSE"],
    python_requires=">=3.11",
    # saved_models/ stands at the top of the checkout and goes into the wheel as somaseg/saved_models/.
    packages=[*find_packages(include=["somaseg*", "tfds_builders*"]), "somaseg.saved_models"],
    package_dir={"somaseg.saved_models": "saved_models"},
    package_data={
        "somaseg.report": ["*.css", "*.js"],
        "somaseg.saved_models": ["*/*.json", "*/*.weights.h5", "*/*.md", "*/*.png"],
        "tfds_builders": ["**/*.md", "**/*.bib", "**/*.txt", "**/*.tsv", "**/*.csv"],
    },
    install_requires=[
        "absl-py>=2.1",
        "imagecodecs>=2024.1.1",  # LZW and other compressed TIFF
        "importlib_resources>=6.0",  # tensorflow-datasets needs it and does not declare it
        "keras>=3.10",
        "matplotlib>=3.8",
        "numpy>=1.26",
        "opencv-python>=4.9",
        "pandas>=2.2",
        "pillow>=10",  # the film of the report
        "roifile>=2024.3",
        "scipy>=1.12",
        "tensorboard>=2.18",  # TensorFlow no longer brings it along
        "tensorflow>=2.18",
        "tensorflow-datasets>=4.9.7",
        "tifffile>=2024.2.12",
        "tqdm>=4.66",
    ],
    extras_require=EXTRAS,
    entry_points={"console_scripts": ["somaseg=somaseg.cli:main"]},
    classifiers=[
        "License :: OSI Approved :: Apache Software License",
        "Programming Language :: Python :: 3.11",
        "Topic :: Scientific/Engineering :: Image Processing",
    ],
)
