#!/bin/sh
# Compiles a crate of the workspace with overflow checks and debug assertions. Cargo calls it as RUSTC_WORKSPACE_WRAPPER,
# with the compiler and its arguments; the dependencies are compiled without it, once for tests and programs.
#
# The crates that compute on pixels are optimised as for users, since the tests run networks. The others are optimised
# less: that saves a third of the time to compile them, and the tests take as long.
case " $* " in
*" --crate-name ichor_engine "* | *" --crate-name ichor_core "*) ;;
*) set -- "$@" -C opt-level=1 ;;
esac
exec "$@" -C overflow-checks=on -C debug-assertions=on
