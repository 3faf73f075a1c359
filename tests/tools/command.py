#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""command.py TRINE SAMPLES: runs the trine command as a person would: exit codes, last lines, JSON, error messages."""
import json, os, re, subprocess, sys, tempfile

trine, samples = sys.argv[1:3]
passed = failed = 0


def run(*words, **environment):
    env = dict(os.environ, OMP_WAIT_POLICY="passive", **environment)
    return subprocess.run([trine, *words], capture_output=True, text=True, env=env)


def expect(name, result, code, out="", err=""):
    """The exit code, and patterns that standard output and error must hold."""
    global passed, failed
    wrong = []
    if result.returncode != code:
        wrong.append(f"exit code {result.returncode}, must be {code}")
    for stream, text, pattern in (("stdout", result.stdout, out), ("stderr", result.stderr, err)):
        if pattern and not re.search(pattern, text, re.M):
            wrong.append(f"{stream} does not hold {pattern!r}")
    if wrong:
        failed += 1
        print(f"{name}: {'; '.join(wrong)}\n{result.stdout[-800:]}{result.stderr[-800:]}")
    else:
        passed += 1


def expect_true(name, value):
    global passed, failed
    if value:
        passed += 1
    else:
        failed += 1
        print(name)


def sample(name):
    return os.path.join(samples, name + ".safetensors")


expect("no command", run(), 2, err="Usage: trine COMMAND")
expect("unknown command", run("fly"), 2, err='no command is named "fly"')
expect("help", run("--help"), 0, out="explain")
expect("version", run("--version"), 0, out=r"^\d+\.\d+\.\d+$")
for command in "devices ops caps explain run check bench generate".split():
    expect(f"{command} --help", run(command, "--help"), 0, out=f"Usage: trine {command}.*(.|\n)*Exit status")
    expect(f"{command} --nonsense", run(command, "--nonsense"), 2, err="nonsense")

expect("devices", run("devices"), 0, out="^cpu ")
devices = json.loads(run("devices", "--json").stdout)
expect_true("devices --json names the cpu", any(d["id"] == "cpu" for d in devices["devices"]))
simulated = json.loads(run("devices", "--json", TRINE_SIMULATE="rocm:0=gfx942").stdout)
expect_true("a simulated device is listed", any(d["simulated"] and d["caps"]["name"] == "gfx942" for d in simulated["devices"]))
expect("devices with a bad environment", run("devices", TRINE_SIMULATE="rocm:0=gfx1"), 1, err="gfx1")

expect("ops", run("ops"), 0, out="^fused_moe +bounded")
expect("ops of one", run("ops", "moe_sum"), 0, out="scaling_factor")
expect("ops of none", run("ops", "nothing"), 2, err="no op is named")
expect_true("ops --json has eleven", len(json.loads(run("ops", "--json").stdout)["ops"]) == 11)

expect("caps", run("caps"), 0, out="^fp8_fnuz_convert")
expect("caps of one", run("caps", "gfx942"), 0, out="wave 64")
expect("caps of an unknown", run("caps", "gfx1"), 2, err="gfx1")
expect_true("caps --json", json.loads(run("caps", "sm_90", "--json").stdout)["devices"][0]["family"] == "Hopper")
expect("caps of an absent device", run("caps", "cuda:63"), 77, err="there is none here")

quant = ["explain", "per_token_group_quant", "--shape", "M=64,K=512"]
expect("explain", run(*quant), 0, out="runs")
expect("explain with params", run(*quant, "--scale-layout", "packed_ue8m0", "--group-size=64"), 0, out=r"scale:i32\[64,2\]")
expect("explain on a known device", run(*quant, "--device", "gfx942"), 0, out="on gfx942")
expect("explain uses the device's fp8", run(*quant, "--device", "simulated:gfx942"), 0, out="q:e4m3fnuz")
expect("explain, bad param", run(*quant, "--group-size", "lots"), 1, err="group_size.*lots")
expect("explain, illegal param", run(*quant, "--group-size", "100"), 1, err="invalid")
expect("explain, unknown param", run(*quant, "--colour", "red"), 1, err="colour")
expect("explain, no value", run(*quant, "--group-size"), 2, err="needs a value")
expect("explain, missing letter", run("explain", "moe_sum", "--shape", "M=3"), 1, err="not given: k, H")
expect("explain, no op", run("explain"), 2, err="one op")
explained = json.loads(run(*quant, "--json").stdout)
expect_true("explain --json: one row runs", sum(r["runs"] for r in explained["rows"]) == 1)

expect("run the samples", run("run", samples, "--device", "cpu", "--expect"), 0, out=r"^\d+ passed, 0 failed$")
expect("run on gfx942", run("run", samples, "--device", "simulated:gfx942", "--expect"), 0, out=r"^\d+ passed, 0 failed")
ran = json.loads(run("run", sample("moe_sum"), "--expect", "--json").stdout)
expect_true("run --json: rows compared", ran["passed"] == 1 and all(r["compared"] > 0 for r in ran["files"][0]["rows"]))
expect("run without a file", run("run"), 2, err="which file")
expect("run of no file", run("run", "/nonexistent"), 1, out="0 passed, 1 failed")
expect("run on an absent device", run("run", sample("moe_sum"), "--device", "cuda:63"), 77, err="there is none here")
expect("run on a bad device", run("run", sample("moe_sum"), "--device", "toaster"), 2, err="must be cpu")
expect("run by one row", run("run", sample("moe_sum"), "--expect", "--row", "reference"), 0, out="reference")
expect("run by no row compares nothing", run("run", sample("moe_sum"), "--expect", "--row", "nothing"), 1, out="0 passed, 0 failed, 1 skipped")

with tempfile.TemporaryDirectory() as folder:
    expect("run an empty folder", run("run", folder), 2, err="no \\*.safetensors")
    out = os.path.join(folder, "out.safetensors")
    expect("run --out", run("run", sample("moe_sum"), "--out", out), 0, out="1 passed, 0 failed")
    expect("run what was written", run("run", out, "--expect"), 0, out="1 passed, 0 failed")
    for name in sorted(os.listdir(samples)):
        # One bit of the expected tensor changed must be seen, and must be named.
        whole = bytearray(open(os.path.join(samples, name), "rb").read())
        size = int.from_bytes(whole[:8], "little")
        header = json.loads(whole[8:8 + size])
        expected = next(k for k in header if k.startswith("expected."))
        begin, end = header[expected]["data_offsets"]
        spoiled = bytearray(whole)
        at = 8 + size + begin
        if header["__metadata__"]["compare"] == "bounded":
            at += {"BF16": 1, "F16": 1, "F32": 3}[header[expected]["dtype"]]
        spoiled[at] ^= 0x40
        path = os.path.join(folder, "spoiled.safetensors")
        open(path, "wb").write(spoiled)
        expect(f"{name} spoiled", run("run", path, "--expect"), 1, out=rf"(?s){re.escape(expected[9:])}\[0.*0 passed, 1 failed")
        open(path, "wb").write(whole[:len(whole) - 1])
        expect(f"{name} cut short", run("run", path, "--expect"), 1, out="lie within(.|\n)*0 passed, 1 failed")
    made = os.path.join(folder, "made.safetensors")
    expect("generate", run("generate", "dequantize", "--shape", "M=5,K=70", "--out", made, "--pattern", "edges"), 0)
    expect("run the generated", run("run", made, "--expect"), 0, out="1 passed, 0 failed")
    expect("generate an impossible pattern", run("generate", "moe_sum", "--shape", "M=1,k=1,H=1", "--out", made, "--pattern", "exact"), 1, err="not for this call")
    expect("generate nowhere", run("generate", "moe_sum", "--shape", "M=1,k=1,H=1", "--out", "/nonexistent/x"), 1, err="nonexistent")

expect("check one op", run("check", "moe_sum", "--cases", "8"), 0, out=r"^\d+ passed, 0 failed")
expect("check: same seed, same case", run("check", "moe_sum", "--seed", "3", "--case", "4"), 0, out="moe_sum: [01] cases")
expect("check: filter", run("check", "act_and_mul", "--filter", "x.dtype=bf16", "--cases", "20"), 0, out="passed, 0 failed")
expect("check: a filter that fits nothing", run("check", "moe_sum", "--filter", "y.dtype=i8", "--cases", "5"), 1, out="^0 passed, 0 failed")
expect("check: bad filter", run("check", "moe_sum", "--filter", "x"), 2, err="name=value")
expect("check: bad seed", run("check", "moe_sum", "--seed", "soon"), 2, err="whole number")
expect("check: no op", run("check", "nothing"), 2, err="no op is named")
expect("check on an absent device", run("check", "--device", "hip:63"), 77, err="there is none here")
checked = json.loads(run("check", "fp8_convert", "--cases", "5", "--json").stdout)
expect_true("check --json", checked["failed"] == 0 and checked["ops"][0]["pairs"]["covered"] > 0)
expect("self-test", run("check", "moe_sum", "--self-test", "--cases", "40"), 0, out=r"^(\d+) of \1 broken kernels caught")

expect("bench", run("bench", "moe_sum", "--shape", "M=8,k=2,H=64", "--repeat", "1", "--no-check"), 0, out="of copy")
bench = json.loads(run("bench", "moe_sum", "--shape", "M=8,k=2,H=64", "--repeat", "1", "--no-check", "--reference", "--json").stdout)
expect_true("bench --json", all(r["seconds"] > 0 and r["fraction_of_copy"] > 0 for r in bench["results"]))
expect("bench of a bad shape", run("bench", "moe_sum", "--shape", "M=8", "--no-check"), 1, err="not given")

print(f"{passed} passed, {failed} failed")
sys.exit(1 if failed or not passed else 0)
