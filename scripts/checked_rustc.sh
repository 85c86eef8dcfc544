#!/bin/sh
# Compiles a crate of the workspace with overflow checks and debug assertions. Cargo calls it as RUSTC_WORKSPACE_WRAPPER,
# with the compiler and its arguments; the dependencies are compiled without it, once for tests and programs.
exec "$@" -C overflow-checks=on -C debug-assertions=on
