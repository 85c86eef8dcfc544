# `make help` lists the targets. Installed tools and build output live in ICHOR_CACHE, outside the clone,
# so that a second clone, or a run after `git clean`, starts warm.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

export ICHOR_CACHE ?= $(HOME)/.cache/ichor
export CARGO_TARGET_DIR ?= $(ICHOR_CACHE)/target

TOOLS := tests/tools
RELEASE := $(CARGO_TARGET_DIR)/release
TEST_PYTHON := $(ICHOR_CACHE)/test-venv/bin/python
DICOM_PYTHON := $(ICHOR_CACHE)/dicom-venv/bin/python
TRAIN_PYTHON := $(ICHOR_CACHE)/train-venv/bin/python
# One profile and one feature set for binaries, tests and lints: every crate is compiled once.
# `lambda` includes the default features, so the `ichor` binary built here is the one a user runs, with onnxruntime
# as a second engine beside.
CARGO_FLAGS := --release --locked --features lambda,gpu
MEASURED := $(ICHOR_CACHE)/measured.json
BENCH = $(ICHOR_CACHE)/bench-venv/bin/python benches/bench.py --probe $(RELEASE)/examples/probe \
  --binary $(RELEASE)/ichor --cache $(ICHOR_CACHE)
# Of the tests and of `--engine ort`; the container brings its own.
export ICHOR_ONNXRUNTIME ?= $(ICHOR_CACHE)/lib/libonnxruntime.so
STACK ?= ichor
ARCH ?= x86_64
PORT ?= 8080
RUNS ?= 1000000
PROVIDER ?= cuda
FLAGS ?=
CUDA_LIBRARIES := $(ICHOR_CACHE)/cuda

##@ Use
.PHONY: serve train train-smoke lambda bench bench-gpu measure bench-smoke bench-tools rten-probe load
serve: ## the API and the page on 127.0.0.1 (PORT=8080)
	cargo run --release --locked -- serve --port $(PORT)

train: train-venv build ## train, evaluate and export both models: make train DATA="FOLDER FOLDER"
	@[ -n "$(DATA)" ] || { echo 'error: name the data sets, as in make train DATA="ct-ich phe-sich"' >&2; exit 1; }
	$(TRAIN_PYTHON) -m training.pipeline --data $(DATA)

train-smoke: train-venv build ## the same in about a minute, on phantoms
	$(TRAIN_PYTHON) -m training.pipeline --smoke

lambda: ## the Lambda binaries and their zips, with their sizes (ICHOR_LAMBDA_ARCH=arm64 cross-builds)
	@$(TOOLS)/lambda_package.sh

bench: bench-tools rten-probe ## Ichor beside onnxruntime behind Flask, OpenVINO and rten; curves; then start, load and long series
	$(BENCH) --rten $(ICHOR_CACHE)/rten-target/release/rten-probe --measured $(MEASURED)
	@$(MAKE) start-measure load long-series

measure: bench-tools ## ms a slice, ms to ready, peak memory, sizes: the quick part of `make bench`
	$(BENCH) --parts slices starts sizes --repeats 3 --measured $(MEASURED)

bench-smoke: bench-tools ## every part of `make bench` once, nothing kept
	@folder=$$(mktemp -d) && trap 'rm -rf "$$folder"' EXIT && $(BENCH) --smoke --results "$$folder"

bench-tools: bench-venv s3-server lambda-emulator build lambda
	cargo build $(CARGO_FLAGS) --example probe

rten-probe:
	CARGO_TARGET_DIR=$(ICHOR_CACHE)/rten-target cargo build --release --locked --manifest-path benches/peers/rten/Cargo.toml

bench-gpu: train-venv sagemaker build ## the container against PyTorch on an NVIDIA card (PROVIDER=cpu shows that it runs; FLAGS="--slices 64")
	@if [ $(PROVIDER) = cuda ]; then $(TOOLS)/cuda_libraries.sh; else $(TOOLS)/onnxruntime.sh; fi
	$(if $(filter cuda,$(PROVIDER)),LD_LIBRARY_PATH=$(CUDA_LIBRARIES)) $(TRAIN_PYTHON) $(TOOLS)/bench_gpu.py \
	  --sagemaker $(RELEASE)/sagemaker --ichor $(RELEASE)/ichor --provider $(PROVIDER) $(FLAGS) \
	  --onnxruntime $(if $(filter cuda,$(PROVIDER)),$(CUDA_LIBRARIES)/libonnxruntime.so,$(ICHOR_ONNXRUNTIME))

load: test-venv build ## 1,000 mixed requests at concurrency 8: failures, memory, waiting times
	$(TOOLS)/load.sh $(RELEASE)/ichor --requests 1000 --concurrency 8

##@ AWS
.PHONY: deploy destroy cost sam-local lambda-watch start-measure sagemaker gpu-image lambda-image model-archive sbom
deploy: sam-venv ## build, deploy, upload models and page, print the address (STACK=ichor ARCH=x86_64 PARAMETERS="Key=Value")
	@ICHOR_LAMBDA_ARCH=$(ARCH) $(TOOLS)/lambda_package.sh
	@$(ICHOR_CACHE)/sam-venv/bin/python infra/deploy.py deploy --stack $(STACK) --arch $(ARCH) \
	  --packed $(ICHOR_CACHE)/lambda $(PARAMETERS)

destroy: sam-venv ## delete the stack and all that is in it, but for the models' bucket
	@$(ICHOR_CACHE)/sam-venv/bin/python infra/deploy.py destroy --stack $(STACK)

cost: ## USD for 1,000 slices and 1,000 series, from what `make measure` wrote
	@python3 infra/cost.py --measured $(MEASURED)

sam-local: test-venv s3-server lambda ## the API in a container, models in a local S3 server; needs a container engine
	@exec infra/sam_local.sh

lambda-watch: test-venv s3-server cargo-lambda-venv ## the API function without containers, built again on changes, models in a local S3 server
	@exec $(TEST_PYTHON) tests/aws/lambda_watch.py

start-measure: test-venv s3-server lambda-emulator lambda ## cold start of the function under AWS's emulator, part by part
	cd tests/aws && $(TEST_PYTHON) start_times.py

sagemaker: ## the container's server
	cargo build $(CARGO_FLAGS) --bin sagemaker

gpu-image: ## the image for SageMaker and ECS, its bases by digest (TAG=ichor-gpu:latest; needs a container engine)
	infra/build_image.sh gpu $(or $(TAG),ichor-gpu:latest)

lambda-image: lambda ## the API function as an image, where a zip is not wanted (TAG=ichor-lambda:latest)
	infra/build_image.sh lambda $(or $(TAG),ichor-lambda:latest)

model-archive: ## model.tar.gz as SageMaker unpacks it into /opt/ml/model
	tar -C models --exclude golden --exclude '*.png' -czf $(ICHOR_CACHE)/model.tar.gz $(notdir $(wildcard models/*))
	@echo $(ICHOR_CACHE)/model.tar.gz

sbom: ## what is shipped, with licences and digests: sbom/*.cdx.json and *-licences.md
	@for image in program lambda gpu; do python3 infra/sbom.py --image $$image; done

##@ Check
.PHONY: check test fmt clippy fast-tests build rust-tests feature-tests training-tests dicom-tests aws-tests page-tests \
  container-tests image-tests tool-tests mutated long-series long-series-streamed fuzz
check: fmt clippy fast-tests ## formatting, lints, unit tests: a minute once built

test: ## installs what is missing, then runs every test, all stages also where one fails, and sums up
	@MAKE="$(MAKE)" $(TOOLS)/stages.sh \
	  "tools: tools" \
	  "lints: fmt clippy" \
	  "feature boundaries: feature-tests" \
	  "Rust: rust-tests" \
	  "test tools: tool-tests" \
	  "training: training-tests" \
	  "DICOM readers: dicom-tests" \
	  "Lambda and template: aws-tests" \
	  "containers: container-tests" \
	  "page: page-tests" \
	  "measurements: bench-smoke"

fmt:
	cargo fmt --check

clippy:
	cargo clippy $(CARGO_FLAGS) --all-targets -- -D warnings

fast-tests:
	cargo test $(CARGO_FLAGS) --lib

build:
	cargo build $(CARGO_FLAGS) --bin ichor

rust-tests: onnxruntime
	cargo test $(CARGO_FLAGS)

feature-tests: ## the core without HTTP, and the default build without AWS
	$(TOOLS)/feature_boundaries.sh

training-tests: train-smoke ## the training smoke run and the Python tests
	$(TRAIN_PYTHON) -m pytest -q training

dicom-tests: dicom-packages dicom-venv build ## segmentations read by highdicom, Hounsfield units held against pydicom's
	ICHOR_BIN=$(RELEASE)/ichor $(DICOM_PYTHON) -m pytest -q tests/dicom
	$(DICOM_PYTHON) $(TOOLS)/dicom_parity.py --ichor $(RELEASE)/ichor --as-ct

mutated: ## 2,000 mutated files of every kind: panics, longest, peak memory (RUNS=2000 of each)
	ICHOR_MUTATIONS=$(if $(filter file,$(origin RUNS)),2000,$(RUNS)) cargo test $(CARGO_FLAGS) --test it -- \
	  --exact mutated::mutated_files_end_in_bounded_time_and_memory --nocapture

long-series: dicom-venv build ## peak memory of 512 slices at the command line and over HTTP
	$(DICOM_PYTHON) $(TOOLS)/long_series.py --ichor $(RELEASE)/ichor

long-series-streamed: dicom-venv onnxruntime build ## the same by onnxruntime, whose batches overlap with decoding
	$(DICOM_PYTHON) $(TOOLS)/long_series.py --ichor $(RELEASE)/ichor --onnxruntime $(ICHOR_ONNXRUNTIME)

fuzz: ## a million inputs for every decoder (RUNS=1000000)
	for target in dicom nifti archive raster multipart assess; do fuzz/run.sh $$target $(RUNS); done

aws-tests: test-venv checkov-venv image-venv cargo-lambda-venv s3-server lambda-emulator onnxruntime build sagemaker lambda ## both functions under AWS's emulator on a local S3 server, the template, the API's description
	cd tests/aws && $(TEST_PYTHON) -m pytest -q -rs $(addprefix --ignore=,$(CONTAINER_TESTS))

# Of a container engine: one that runs, else one that is started for it, which needs root; else they are skipped.
CONTAINER_TESTS := test_image.py test_sam_local.py
container-tests: test-venv s3-server sagemaker lambda ## `make sam-local` and the container's image, where an engine runs or can be started (root)
	cd tests/aws && ../tools/container_engine.sh --if-possible $(TEST_PYTHON) -m pytest -q -rs $(CONTAINER_TESTS)

image-tests: test-venv sagemaker ## the container's image, built and run by an engine that is started for it; root
	cd tests/aws && ../tools/container_engine.sh $(TEST_PYTHON) -m pytest -q test_image.py

tool-tests: ## how the stages of `make test` run on and are summed up
	tests/tools/test_stages.sh

page-tests: page-packages page-modules build ## the page in a real Chromium
	PATH="$$($(TOOLS)/node.sh):$$PATH" ICHOR_BIN=$(RELEASE)/ichor npm test --prefix tests/frontend

##@ Install
.PHONY: tools base-packages dicom-packages page-packages test-venv checkov-venv image-venv bench-venv sam-venv train-venv \
  dicom-venv cargo-lambda-venv onnxruntime s3-server lambda-emulator page-modules
INSTALLED := base-packages dicom-packages page-packages test-venv checkov-venv image-venv dicom-venv bench-venv \
  cargo-lambda-venv onnxruntime s3-server lambda-emulator train-venv page-modules
tools: $(INSTALLED) ## everything the tests need, each skipped if there

# In groups: what the page needs and cannot have keeps nothing else from being tested.
base-packages:
	@$(TOOLS)/system_packages.sh base

dicom-packages: base-packages
	@$(TOOLS)/system_packages.sh dicom

page-packages: base-packages
	@$(TOOLS)/system_packages.sh page

test-venv: base-packages
	@$(TOOLS)/python_env.sh test-venv tests/aws/requirements.txt

checkov-venv: base-packages
	@$(TOOLS)/python_env.sh checkov-venv tests/aws/checkov-requirements.txt

bench-venv: base-packages
	@$(TOOLS)/python_env.sh bench-venv benches/requirements.txt

image-venv: base-packages
	@$(TOOLS)/python_env.sh image-venv tests/aws/image-requirements.txt

onnxruntime: base-packages
	@$(TOOLS)/onnxruntime.sh

cargo-lambda-venv: base-packages
	@$(TOOLS)/python_env.sh cargo-lambda-venv infra/cargo-lambda-requirements.txt

sam-venv: base-packages
	@$(TOOLS)/python_env.sh sam-venv infra/requirements.txt

train-venv: base-packages
	@$(TOOLS)/python_env.sh train-venv training/requirements.txt

dicom-venv: base-packages
	@$(TOOLS)/python_env.sh dicom-venv tests/dicom/requirements.txt

s3-server: base-packages
	@$(TOOLS)/s3_server.sh

lambda-emulator: test-venv
	@$(TOOLS)/lambda_emulator.sh

page-modules: base-packages
	@$(TOOLS)/node_modules.sh tests/frontend

##@ Other
.PHONY: clean help build-ApiFunction build-WorkerFunction
build-ApiFunction: # called by `sam build`, which names the target after the function
	@$(TOOLS)/lambda_package.sh api
	cp $(ICHOR_CACHE)/lambda/api/bootstrap $(ARTIFACTS_DIR)/bootstrap

build-WorkerFunction:
	@$(TOOLS)/lambda_package.sh worker
	cp $(ICHOR_CACHE)/lambda/worker/bootstrap $(ARTIFACTS_DIR)/bootstrap

clean: ## removes build output, keeps the installed tools
	cargo clean
	rm -rf $(ICHOR_CACHE)/lambda tests/frontend/node_modules

help: ## this list
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-zA-Z-]+:.*## / {printf "  %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
