"""The Rust tests run with overflow checks, and the programs that users run are built without."""

import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
WRAPPER = ROOT / "scripts" / "checked_rustc.sh"

# One argument, the name of the program, so that the sum is 256.
OVERFLOW = 'fn main() { let count = std::env::args().count() as u8; println!("{}", count + 255); }\n'


def exit_status(folder: Path, *compiler: str | Path) -> int:
    (folder / "main.rs").write_text(OVERFLOW)
    subprocess.run([*compiler, "-C", "opt-level=3", "-o", folder / "main", folder / "main.rs"], check=True)
    return subprocess.run([folder / "main"], capture_output=True).returncode


def test_an_overflow_ends_the_program_with_the_wrapper_only(tmp_path: Path) -> None:
    assert exit_status(tmp_path, "rustc") == 0
    assert exit_status(tmp_path, WRAPPER, "rustc") == 101


def commands(target: str) -> list[str]:
    made = subprocess.run(["make", "-n", target], cwd=ROOT, capture_output=True, text=True, check=True)
    return [line for line in made.stdout.splitlines() if "cargo " in line]


def test_tests_use_the_wrapper_and_programs_do_not() -> None:
    for target in ("rust-tests", "fast-tests"):
        assert any(f"RUSTC_WORKSPACE_WRAPPER={WRAPPER} cargo test" in line for line in commands(target)), target
    for target in ("build", "sagemaker", "mutated"):
        assert not any("RUSTC_WORKSPACE_WRAPPER" in line for line in commands(target)), target
