#!/usr/bin/env python3
"""The portal's one-shot door beside nginx's PUT and node's tus server: same machine, same disk, same run, same client.

    benches/portal_load.py load TARSEAL [--tus-js DIR] [--tls] [--only stream,many,small]
                                   TARSEAL is a release build; DIR has @tus/server and @tus/file-store
    benches/portal_load.py slow TARSEAL [--connections N]  N (500) connections that send their headers slowly, and a good client

`load` prints, for each server, CPU seconds per GiB of one stream, 200 uploads of 4 MiB at once (rate, p99, peak memory), and
uploads of 4 KiB per second over 16 connections, and the ratios to nginx; and the rate of one stream beside `dd conv=fsync` of the
same file. The portal hashes and synchronises every byte; nginx and node do neither. `--tls` speaks TLS 1.3 to portal and nginx. `slow` ends with code 1 when the good client's p99 is not under a second.

Needs nginx, curl, node (a server that is not there is left out). The client runs on the same cores.
"""

import argparse
import asyncio
import hashlib
import os
import shutil
import signal
import ssl
import subprocess
import sys
import tempfile
import threading
import time

TICKET = "4711"
TICKS = os.sysconf("SC_CLK_TCK")


def head_of(number):
    """The header of a sealed file with one slot for a key both sides hold."""
    fields = b"\x01" + (16).to_bytes(4, "big") + hashlib.sha256(b"%d" % number).digest()[:16]
    fields += b"\x02" + (8).to_bytes(4, "big") + (1_795_000_000).to_bytes(8, "big")
    fields += b"\x05" + (89).to_bytes(4, "big") + b"\x04" + bytes(8) + bytes(range(80))
    return b"\x89TSL\r\n\x1a\n\x01\x01" + len(fields).to_bytes(4, "big") + fields


def family(pid):
    """A process and all beneath it."""
    found = [pid]
    for parent in found:
        for task in os.listdir(f"/proc/{parent}/task"):
            with open(f"/proc/{parent}/task/{task}/children") as file:
                found += [int(child) for child in file.read().split()]
    return found


def cpu(pid):
    total = 0
    for one in family(pid):
        with open(f"/proc/{one}/stat") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        total += int(fields[11]) + int(fields[12])
    return total / TICKS


def peak(pid):
    total = 0
    for one in family(pid):
        with open(f"/proc/{one}/status") as file:
            total += sum(int(line.split()[1]) for line in file if line.startswith("VmHWM"))
    return total / 1024


class Portal:
    name = "portal"

    def __init__(self, place, arguments):
        data = os.path.join(place, "portal")
        new = [arguments.tarseal, "portal", "token", "new", "--role", "upload", "--ticket", TICKET, "--data", data]
        token = subprocess.run(new, check=True, capture_output=True, text=True).stdout.strip()
        tls = ["--tls-cert", arguments.certificate, "--tls-key", arguments.key] if arguments.tls else []
        self.process = subprocess.Popen(
            [arguments.tarseal, "portal", "serve", "--data", data, "--listen", "127.0.0.1:0", *tls],
            stderr=subprocess.PIPE, env={**os.environ, "TARSEAL_LOG": "warn"})
        for line in self.process.stderr:
            if b"listening on " in line:
                self.port = int(line.split(b":")[-1])
                break
        threading.Thread(target=self.process.stderr.read, daemon=True).start()
        self.head = f"Authorization: Bearer {token}\r\n"

    def request(self, number):
        return "PUT", f"/in/{TICKET}/f{number}", self.head


class Nginx:
    name = "nginx"

    def __init__(self, place, arguments):
        place = os.path.join(place, "nginx")
        tls = f"ssl_certificate {arguments.certificate}; ssl_certificate_key {arguments.key};" if arguments.tls else ""
        os.makedirs(os.path.join(place, "files"))
        self.port = free_port()
        with open(os.path.join(place, "nginx.conf"), "w") as file:
            file.write(f"""daemon off; worker_processes 2; pid {place}/pid; error_log {place}/error.log; user root;
events {{ worker_connections 4096; }}
http {{ access_log off; keepalive_requests 10000000; client_max_body_size 0; client_body_temp_path {place}/files/tmp;
  server {{ listen 127.0.0.1:{self.port}{" ssl" if tls else ""}; {tls} root {place}/files; location / {{ dav_methods PUT; }} }} }}""")
        self.process = subprocess.Popen(["nginx", "-p", place, "-c", os.path.join(place, "nginx.conf")], stderr=subprocess.DEVNULL)
        wait_for(self.port)

    def request(self, number):
        return "PUT", f"/f{number}", ""


class Node:
    name = "node tus"
    SCRIPT = """
const [directory, modules, port] = process.argv.slice(1);
const load = require('module').createRequire(modules + '/');
const { Server } = load('@tus/server'); const { FileStore } = load('@tus/file-store');
new Server({ path: '/files', datastore: new FileStore({ directory }) }).listen({ host: '127.0.0.1', port: Number(port) });
"""

    def __init__(self, place, arguments):
        place = os.path.join(place, "node")
        os.makedirs(place)
        self.port = free_port()
        self.process = subprocess.Popen(["node", "-e", self.SCRIPT, place, os.path.abspath(arguments.tus_js), str(self.port)])
        wait_for(self.port)

    def request(self, number):
        return "POST", "/files", "Tus-Resumable: 1.0.0\r\nUpload-Length: {length}\r\nContent-Type: application/offset+octet-stream\r\n"


def free_port():
    import socket
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def wait_for(port):
    import socket
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise SystemExit(f"nothing listens on {port}")


async def answer(reader):
    head = await reader.readuntil(b"\r\n\r\n")
    status = int(head.split(b" ", 2)[1])
    length = next((int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")), 0)
    if b"chunked" in head.lower():
        while (size := int(await reader.readline(), 16)) or await reader.readline() is None:
            await reader.readexactly(size + 2)
    elif length:
        await reader.readexactly(length)
    return status


def connect(server):
    if not server.tls:
        return asyncio.open_connection("127.0.0.1", server.port)
    anyone = ssl.create_default_context()
    anyone.check_hostname, anyone.verify_mode = False, ssl.CERT_NONE
    return asyncio.open_connection("127.0.0.1", server.port, ssl=anyone)


async def send(server, streams, number, body):
    reader, writer = streams
    method, path, more = server.request(number)
    content = head_of(number) + body
    head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(content)}\r\n{more}\r\n"
    writer.write(head.replace("{length}", str(len(content))).encode() + content[:4096])
    for at in range(4096, len(content), 1 << 18):
        writer.write(content[at : at + (1 << 18)])
        await writer.drain()
    await writer.drain()
    status = await answer(reader)
    if status not in (200, 201, 204):
        raise SystemExit(f"{server.name} answered {status}")


async def at_once(server, count, length):
    body = os.urandom(length - len(head_of(0)))
    times = []

    async def one(number):
        begun = time.perf_counter()
        streams = await connect(server)
        await send(server, streams, number, body)
        times.append(time.perf_counter() - begun)
        streams[1].close()

    begun = time.perf_counter()
    await asyncio.gather(*(one(number) for number in range(1000, 1000 + count)))
    spent = time.perf_counter() - begun
    return count * length / spent / 1e6, sorted(times)[int(count * 0.99)]


async def small_ones(server, seconds, connections):
    body, done = os.urandom(4096 - len(head_of(0))), 0
    end = time.perf_counter() + seconds

    async def one(first):
        nonlocal done
        streams = await connect(server)
        number = first
        while time.perf_counter() < end:
            await send(server, streams, number, body)
            number, done = number + 1, done + 1
        streams[1].close()

    begun = time.perf_counter()
    await asyncio.gather(*(one(1_000_000 * (n + 1)) for n in range(connections)))
    return done / (time.perf_counter() - begun)


def one_stream(server, place, gibibytes):
    path = os.path.join(place, "stream")
    block = os.urandom(1 << 20)
    with open(path, "wb") as file:
        file.write(head_of(1))
        for _ in range(gibibytes << 10):
            file.write(block)
    method, where, more = server.request(1)
    more = more.replace("{length}", str(os.path.getsize(path)))
    headers = [part for line in more.split("\r\n") if line for part in ("--header", line)]
    begun, before = time.perf_counter(), cpu(server.process.pid)
    subprocess.run(["curl", "--silent", "--fail", "--insecure", "--output", "/dev/null", "--header", "Expect:", "--request", method, *headers,
                    "--upload-file", path, f"http{'s' if server.tls else ''}://127.0.0.1:{server.port}{where}"], check=True)
    spent = time.perf_counter() - begun
    used = cpu(server.process.pid) - before
    begun = time.perf_counter()
    subprocess.run(["dd", f"if={path}", f"of={path}.dd", "bs=1M", "conv=fsync", "status=none"], check=True)
    copied = time.perf_counter() - begun
    os.unlink(path)
    os.unlink(path + ".dd")
    return used / gibibytes, gibibytes * (1 << 30) / spent / 1e6, copied / spent


def load(arguments):
    kinds = [Nginx if shutil.which("nginx") else None, Node if arguments.tus_js and shutil.which("node") and not arguments.tls else None, Portal]
    parts, first = arguments.only.split(","), None
    print(f"{'':10} {'CPU s/GiB':>10} {'MB/s':>7} {': dd':>5} | {'200 x 4 MiB MB/s':>16} {'p99 s':>6} {'MiB':>5} | {'4 KiB/s':>8}")
    for kind in filter(None, kinds):
        place = tempfile.mkdtemp(prefix="tarseal-load.", dir=arguments.place)
        if arguments.tls:
            arguments.certificate, arguments.key = os.path.join(place, "cert.pem"), os.path.join(place, "key.pem")
            subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
                            "/CN=localhost", "-keyout", arguments.key, "-out", arguments.certificate], check=True, capture_output=True)
        server = kind(place, arguments)
        server.tls = arguments.tls
        used = stream = dd = rate = late = small = 0
        try:
            if "stream" in parts:
                used, stream, dd = one_stream(server, place, arguments.gibibytes)
            if "many" in parts:
                rate, late = asyncio.run(at_once(server, 200, 4 << 20))
            memory = peak(server.process.pid)
            if "small" in parts:
                small = asyncio.run(small_ones(server, arguments.seconds, 16))
        finally:
            server.process.terminate()
            server.process.wait()
            shutil.rmtree(place)
        figures = (used, stream, rate, late, memory, small)
        first = first or figures
        print(f"{server.name:10} {used:10.2f} {stream:7.0f} {dd:5.2f} | {rate:16.0f} {late:6.2f} {memory:5.0f} | {small:8.0f}", flush=True)
        if first is not figures:
            ratios = [mine / other if other else 0 for mine, other in zip(figures, first)]
            print(f"{'  : nginx':10} {ratios[0]:10.2f} {ratios[1]:7.2f} {'':5} | {ratios[2]:16.2f} {ratios[3]:6.2f} {ratios[4]:5.1f} | {ratios[5]:8.2f}", flush=True)


def slow(arguments):
    place = tempfile.mkdtemp(prefix="tarseal-load.", dir=arguments.place)
    arguments.tls = False
    server = Portal(place, arguments)
    server.tls = False
    times, closed = [], 0

    async def dawdle():
        nonlocal closed
        while True:
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
                for letter in b"PUT /in/4711/x HTTP/1.1\r\nHost: localhost\r\nX-Slow: " + b"a" * 1000:
                    writer.write(bytes([letter]))
                    await writer.drain()
                    await asyncio.sleep(1)
            except OSError:
                closed += 1

    async def good():
        body = os.urandom(100_000)
        for number in range(arguments.requests):
            begun = time.perf_counter()
            streams = await asyncio.open_connection("127.0.0.1", server.port)
            await send(server, streams, number, body)
            streams[1].close()
            times.append(time.perf_counter() - begun)

    async def both():
        dawdlers = [asyncio.create_task(dawdle()) for _ in range(arguments.connections)]
        await asyncio.sleep(3)
        await good()
        for one in dawdlers:
            one.cancel()

    try:
        asyncio.run(both())
    finally:
        server.process.send_signal(signal.SIGKILL)
        server.process.wait()
        shutil.rmtree(place)
    late = sorted(times)[int(len(times) * 0.99)]
    print(f"{arguments.connections} slow connections ({closed} were closed by the portal), {len(times)} uploads: p99 {late:.3f} s, longest {max(times):.3f} s")
    sys.exit(0 if late < 1 else 1)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    for name, run in (("load", load), ("slow", slow)):
        command = commands.add_parser(name)
        command.set_defaults(run=run)
        command.add_argument("tarseal")
        command.add_argument("--tus-js")
        command.add_argument("--place", help="a directory on the disk that is measured")
        command.add_argument("--gibibytes", type=int, default=1)
        command.add_argument("--connections", type=int, default=500)
        command.add_argument("--requests", type=int, default=300)
        command.add_argument("--tls", action="store_true")
        command.add_argument("--only", default="stream,many,small", help="what to measure")
        command.add_argument("--seconds", type=float, default=8, help="how long small files are sent")
    arguments = parser.parse_args()
    arguments.run(arguments)


main()
