#!/usr/bin/env python3
"""Runs the vendors' own packages against the scripted server, so that its bytes are known to be theirs.

Two commands, from the folder of the workspace (the second in an environment with the packages of
requirements.txt; URL is the line that the first one prints):

    cargo run -p baton-script --example serve -- crates/baton-script/tests/vendors/script.json
    python crates/baton-script/tests/vendors/check.py URL

Prints a line for each check, `name ok` or `name FAILED detail`, and one for all; exits 1 on failure.
Several URLs are checked one after the other; each server must be fresh.
"""

import json
import sys

import anthropic
import openai
from google import genai
from google.genai import errors as google_errors
from google.genai import types as google_types

TEXT = 'Grüße, a "scripted" reply.\nSecond line: €.'
REFUSAL = "I'm sorry, but I can't help with that."
PROMPT = [{"role": "user", "content": "hello"}]

CHECKS = []


def check(function):
    CHECKS.append(function)
    return function


def equal(found, wanted):
    if found != wanted:
        raise AssertionError(f"found {found!r}, wanted {wanted!r}")


class Clients:
    def __init__(self, url):
        options = {"api_key": "scripted-key", "max_retries": 0, "timeout": 10.0}
        self.openai = openai.OpenAI(base_url=f"{url}/v1", **options)
        self.anthropic = anthropic.Anthropic(base_url=url, **options)
        self.google = genai.Client(
            api_key="scripted-key",
            http_options=google_types.HttpOptions(
                base_url=url,
                api_version="v1beta",
                timeout=10_000,
                retry_options=google_types.HttpRetryOptions(attempts=1),
            ),
        )

    def chat(self, model, **more):
        return self.openai.chat.completions.create(model=model, messages=PROMPT, **more)

    def responses(self, model, **more):
        return self.openai.responses.create(model=model, input="hello", **more)

    def gemini(self, model):
        return self.google.models.generate_content(model=model, contents="hello")

    def gemini_stream(self, model):
        return self.google.models.generate_content_stream(model=model, contents="hello")

    def messages(self, model, **more):
        return self.anthropic.messages.create(model=model, messages=PROMPT, max_tokens=64, **more)


# Chat Completions


@check
def chat_whole(clients):
    reply = clients.chat("ok")
    equal(reply.choices[0].message.content, TEXT)
    equal(reply.choices[0].message.role, "assistant")
    equal(reply.choices[0].finish_reason, "stop")
    equal((reply.object, reply.model), ("chat.completion", "ok"))
    usage = reply.usage
    equal((usage.prompt_tokens, usage.completion_tokens, usage.total_tokens), (1200, 34, 1234))
    equal(usage.prompt_tokens_details.cached_tokens, 1000)
    equal(reply._request_id.startswith("req_"), True)


def read_chat(stream):
    chunks = list(stream)
    spoken = [chunk.choices[0] for chunk in chunks if chunk.choices]
    text = "".join(choice.delta.content or "" for choice in spoken)
    refusal = "".join(choice.delta.refusal or "" for choice in spoken)
    return text, refusal, spoken[-1].finish_reason, chunks


@check
def chat_streamed(clients):
    text, _, finish, chunks = read_chat(clients.chat("ok", stream=True))
    equal((text, finish), (TEXT, "stop"))
    equal([chunk.usage for chunk in chunks if chunk.usage], [])


@check
def chat_streamed_with_usage(clients):
    options = {"include_usage": True}
    text, _, _, chunks = read_chat(clients.chat("ok", stream=True, stream_options=options))
    equal(text, TEXT)
    equal((chunks[-1].choices, chunks[-1].usage.total_tokens), ([], 1234))


@check
def chat_streamed_slowly(clients):
    text, _, _, chunks = read_chat(clients.chat("paced", stream=True))
    equal(text, "one two three four five")
    equal(len(chunks), 10)


@check
def chat_accumulated_by_the_package(clients):
    with clients.openai.chat.completions.stream(model="ok", messages=PROMPT) as stream:
        equal(stream.get_final_completion().choices[0].message.content, TEXT)


@check
def chat_other_endings(clients):
    reply = clients.chat("refusal").choices[0]
    equal((reply.message.content, reply.message.refusal), (None, REFUSAL))
    text, refusal, finish, _ = read_chat(clients.chat("refusal", stream=True))
    equal((text, refusal, finish), ("", REFUSAL, "stop"))
    equal(clients.chat("length").choices[0].finish_reason, "length")
    equal(clients.chat("content_filter").choices[0].finish_reason, "content_filter")
    equal(clients.chat("empty_text").choices[0].message.content, "")


# Responses


@check
def responses_whole(clients):
    reply = clients.responses("ok")
    equal((reply.output_text, reply.status, reply.model), (TEXT, "completed", "ok"))
    usage = reply.usage
    equal((usage.input_tokens, usage.output_tokens, usage.total_tokens), (1200, 34, 1234))
    equal(usage.input_tokens_details.cached_tokens, 1000)


@check
def responses_streamed(clients):
    events = list(clients.responses("ok", stream=True))
    text = "".join(event.delta for event in events if event.type == "response.output_text.delta")
    equal(text, TEXT)
    equal([event.sequence_number for event in events], list(range(len(events))))
    kinds = [event.type for event in events if not event.type.endswith(".delta")]
    equal(
        kinds,
        [
            "response.created",
            "response.in_progress",
            "response.output_item.added",
            "response.content_part.added",
            "response.output_text.done",
            "response.content_part.done",
            "response.output_item.done",
            "response.completed",
        ],
    )
    equal(events[-1].response.usage.total_tokens, 1234)
    equal(events[-1].response.output_text, TEXT)


@check
def responses_accumulated_by_the_package(clients):
    with clients.openai.responses.stream(model="ok", input="hello") as stream:
        equal(stream.get_final_response().output_text, TEXT)


@check
def responses_other_endings(clients):
    equal(clients.responses("refusal").output[0].content[0].refusal, REFUSAL)
    events = list(clients.responses("refusal", stream=True))
    spoken = [event.delta for event in events if event.type == "response.refusal.delta"]
    equal("".join(spoken), REFUSAL)
    reply = clients.responses("length")
    equal((reply.status, reply.incomplete_details.reason), ("incomplete", "max_output_tokens"))
    reply = clients.responses("content_filter")
    equal((reply.status, reply.incomplete_details.reason), ("incomplete", "content_filter"))
    last = list(clients.responses("length", stream=True))[-1]
    equal(last.type, "response.incomplete")


# Messages


@check
def messages_whole(clients):
    reply = clients.messages("ok")
    equal([block.text for block in reply.content], [TEXT])
    equal((reply.stop_reason, reply.model, reply.role), ("end_turn", "ok", "assistant"))
    usage = reply.usage
    equal((usage.input_tokens, usage.cache_read_input_tokens, usage.output_tokens), (200, 1000, 34))
    equal(reply._request_id.startswith("req_"), True)


@check
def messages_streamed(clients):
    events = list(clients.messages("ok", stream=True))
    text = "".join(e.delta.text for e in events if e.type == "content_block_delta")
    equal(text, TEXT)
    kinds = [event.type for event in events if event.type not in ("ping", "content_block_delta")]
    equal(
        kinds,
        [
            "message_start",
            "content_block_start",
            "content_block_stop",
            "message_delta",
            "message_stop",
        ],
    )


@check
def messages_accumulated_by_the_package(clients):
    with clients.anthropic.messages.stream(
        model="ok", messages=PROMPT, max_tokens=64
    ) as stream:
        message = stream.get_final_message()
    equal([block.text for block in message.content], [TEXT])
    equal((message.stop_reason, message.usage.output_tokens), ("end_turn", 34))


@check
def messages_beta(clients):
    reply = clients.anthropic.beta.messages.create(model="ok", messages=PROMPT, max_tokens=64)
    equal(reply.content[0].text, TEXT)


@check
def messages_other_endings(clients):
    equal(clients.messages("refusal").stop_reason, "refusal")
    equal(clients.messages("content_filter").stop_reason, "refusal")
    equal(clients.messages("length").stop_reason, "max_tokens")
    equal(clients.messages("empty_text").content, [])


@check
def messages_tokens_counted(clients):
    reply = clients.anthropic.messages.count_tokens(model="ok", messages=PROMPT)
    equal(reply.input_tokens, 77)


# Gemini


@check
def gemini_whole(clients):
    reply = clients.gemini("ok")
    equal((reply.text, reply.model_version), (TEXT, "ok"))
    equal(reply.candidates[0].finish_reason, google_types.FinishReason.STOP)
    equal(reply.candidates[0].content.role, "model")
    usage = reply.usage_metadata
    equal((usage.prompt_token_count, usage.candidates_token_count), (1200, 34))
    equal((usage.cached_content_token_count, usage.total_token_count), (1000, 1234))
    equal(reply.response_id.startswith("resp_"), True)


@check
def gemini_streamed(clients):
    chunks = list(clients.gemini_stream("ok"))
    equal("".join(chunk.text or "" for chunk in chunks), TEXT)
    reasons = [chunk.candidates[0].finish_reason for chunk in chunks]
    equal([reason for reason in reasons if reason], [google_types.FinishReason.STOP])
    equal(chunks[-1].usage_metadata.total_token_count, 1234)


@check
def gemini_streamed_slowly(clients):
    chunks = list(clients.gemini_stream("paced"))
    equal("".join(chunk.text or "" for chunk in chunks), "one two three four five")
    equal(len(chunks), 9)


@check
def gemini_conversation_and_thinking(clients):
    content = lambda role, text: {"role": role, "parts": [{"text": text}]}
    contents = [content("user", "hello"), content("model", "hi"), content("user", "and now?")]
    for thinking in ({"thinking_budget": 2048}, {"thinking_level": "low"}):
        config = {"max_output_tokens": 64, "thinking_config": thinking}
        reply = clients.google.models.generate_content(model="ok", contents=contents, config=config)
        equal(reply.text, TEXT)


@check
def gemini_other_endings(clients):
    for reply in (clients.gemini("refusal"), list(clients.gemini_stream("refusal"))[-1]):
        equal((reply.candidates, reply.text), (None, None))
        blocked = google_types.BlockedReason.PROHIBITED_CONTENT
        equal(reply.prompt_feedback.block_reason, blocked)
    for model, wanted in (("length", "MAX_TOKENS"), ("content_filter", "SAFETY")):
        equal(clients.gemini(model).candidates[0].finish_reason, google_types.FinishReason(wanted))
    equal(clients.gemini("empty_text").text, None)


# Answers that are held to a schema

SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "required": ["answer", "verdict", "abstain"],
    "properties": {
        "answer": {"type": "string"},
        "verdict": {"type": "string", "enum": ["approve", "reject", "abstain"]},
        "abstain": {"type": ["string", "null"]},
    },
}
FITTED = {"answer": TEXT, "verdict": "approve", "abstain": None}


@check
def chat_schema(clients):
    schema = {"type": "json_schema", "json_schema": {"name": "answer", "strict": True, "schema": SCHEMA}}
    reply = clients.chat("ok", response_format=schema)
    equal(json.loads(reply.choices[0].message.content), FITTED)
    text, _, _, _ = read_chat(clients.chat("ok", stream=True, response_format=schema))
    equal(json.loads(text), FITTED)
    refused = lambda: clients.chat("schema_refused", response_format=schema)
    expect(openai.BadRequestError, refused, status_code=400)


@check
def responses_schema(clients):
    text = {"format": {"type": "json_schema", "name": "answer", "strict": True, "schema": SCHEMA}}
    equal(json.loads(clients.responses("ok", text=text).output_text), FITTED)


@check
def messages_schema(clients):
    config = {"format": {"type": "json_schema", "schema": SCHEMA}}
    equal(json.loads(clients.messages("ok", output_config=config).content[0].text), FITTED)
    refused = lambda: clients.messages("schema_refused", output_config=config)
    expect(anthropic.BadRequestError, refused, status_code=400)


@check
def gemini_schema(clients):
    config = {"response_mime_type": "application/json", "response_json_schema": SCHEMA}
    ask = lambda model: clients.google.models.generate_content(model=model, contents="hello", config=config)
    equal(json.loads(ask("ok").text), FITTED)
    expect(google_errors.ClientError, lambda: ask("schema_refused"), code=400, status="INVALID_ARGUMENT")


# Models


@check
def models_listed(clients):
    equal("overloaded" in [model.id for model in clients.openai.models.list()], True)
    equal("overloaded" in [model.id for model in clients.anthropic.models.list()], True)
    equal("models/overloaded" in [model.name for model in clients.google.models.list()], True)


# Errors: class, status, and what the vendor calls it


def expect(kind, call, **wanted):
    try:
        found = call()
        if not hasattr(found, "model"):
            found = list(found)
    except kind as error:
        equal(type(error).__name__, kind.__name__)
        for name, value in wanted.items():
            equal(getattr(error, name), value)
        return error
    raise AssertionError(f"no {kind.__name__}, but {found!r}")


OPENAI_ERRORS = {
    "unauthorized": (openai.AuthenticationError, 401, "invalid_api_key"),
    "forbidden": (openai.PermissionDeniedError, 403, "missing_scope"),
    "model_not_found": (openai.NotFoundError, 404, "model_not_found"),
    "context_too_long": (openai.BadRequestError, 400, "context_length_exceeded"),
    "too_large": (openai.APIStatusError, 413, "request_too_large"),
    "rate_limited": (openai.RateLimitError, 429, "rate_limit_exceeded"),
    "insufficient_quota": (openai.RateLimitError, 429, "insufficient_quota"),
    "server_error": (openai.InternalServerError, 500, None),
    "unavailable": (openai.InternalServerError, 503, None),
    "overloaded": (openai.InternalServerError, 529, "overloaded"),
}


@check
def chat_errors(clients):
    for model, (kind, status, code) in OPENAI_ERRORS.items():
        expect(kind, lambda: clients.chat(model), status_code=status, code=code)
        expect(kind, lambda: clients.chat(model, stream=True), status_code=status, code=code)


@check
def responses_errors(clients):
    for model, (kind, status, code) in OPENAI_ERRORS.items():
        expect(kind, lambda: clients.responses(model), status_code=status, code=code)


@check
def openai_retry_after(clients):
    error = expect(openai.RateLimitError, lambda: clients.chat("rate_limited"))
    equal(error.response.headers["retry-after"], "7")
    equal(error.response.headers["x-ratelimit-remaining-requests"], "0")
    equal(error.request_id.startswith("req_"), True)


@check
def openai_own_retry_succeeds(clients):
    patient = clients.openai.with_options(max_retries=1)
    reply = patient.chat.completions.create(model="twice", messages=PROMPT)
    equal(reply.choices[0].message.content, "second")


@check
def openai_no_rule(clients):
    expect(openai.BadRequestError, lambda: clients.chat("no such model"), status_code=400)


ANTHROPIC_ERRORS = {
    "unauthorized": (anthropic.AuthenticationError, 401, "authentication_error"),
    "forbidden": (anthropic.PermissionDeniedError, 403, "permission_error"),
    "model_not_found": (anthropic.NotFoundError, 404, "not_found_error"),
    "context_too_long": (anthropic.BadRequestError, 400, "invalid_request_error"),
    "too_large": (None, 413, "request_too_large"),
    "rate_limited": (anthropic.RateLimitError, 429, "rate_limit_error"),
    "insufficient_quota": (anthropic.BadRequestError, 400, "invalid_request_error"),
    "server_error": (anthropic.InternalServerError, 500, "api_error"),
    "unavailable": (None, 503, "api_error"),
    "overloaded": (None, 529, "overloaded_error"),
}


@check
def messages_errors(clients):
    for model, (kind, status, name) in ANTHROPIC_ERRORS.items():
        for streamed in ({}, {"stream": True}):
            try:
                clients.messages(model, **streamed)
            except anthropic.APIStatusError as error:
                # The classes without a name here are not exported by the package.
                equal(type(error).__name__, kind.__name__ if kind else type(error).__name__)
                equal((error.status_code, error.body["error"]["type"]), (status, name))
                equal(error.request_id.startswith("req_"), True)
            else:
                raise AssertionError(f"{model} did not fail")


GOOGLE_ERRORS = {
    "unauthorized": (google_errors.ClientError, 400, "INVALID_ARGUMENT"),
    "forbidden": (google_errors.ClientError, 403, "PERMISSION_DENIED"),
    "model_not_found": (google_errors.ClientError, 404, "NOT_FOUND"),
    "context_too_long": (google_errors.ClientError, 400, "INVALID_ARGUMENT"),
    "too_large": (google_errors.ClientError, 400, "INVALID_ARGUMENT"),
    "rate_limited": (google_errors.ClientError, 429, "RESOURCE_EXHAUSTED"),
    "insufficient_quota": (google_errors.ClientError, 429, "RESOURCE_EXHAUSTED"),
    "server_error": (google_errors.ServerError, 500, "INTERNAL"),
    "unavailable": (google_errors.ServerError, 503, "UNAVAILABLE"),
    "overloaded": (google_errors.ServerError, 503, "UNAVAILABLE"),
}


@check
def gemini_errors(clients):
    for model, (kind, code, status) in GOOGLE_ERRORS.items():
        expect(kind, lambda: clients.gemini(model), code=code, status=status)
        expect(kind, lambda: list(clients.gemini_stream(model)), code=code, status=status)


@check
def gemini_retry_delay(clients):
    error = expect(google_errors.ClientError, lambda: clients.gemini("rate_limited"))
    equal(error.details["error"]["details"][-1]["retryDelay"], "7s")
    error = expect(google_errors.ClientError, lambda: clients.gemini("unauthorized"))
    equal(error.details["error"]["details"][0]["reason"], "API_KEY_INVALID")


# Faults in transfer


def raises(kinds, call):
    try:
        found = call()
    except kinds as error:
        return error
    raise AssertionError(f"nothing raised, but {found!r}")


def broken(kinds, stream):
    """The error that ends a stream, and the number of events before it."""
    seen = 0
    try:
        for _ in stream:
            seen += 1
    except kinds as error:
        return error, seen
    raise AssertionError(f"the stream ended well after {seen} events")


@check
def openai_transfer(clients):
    for call in (clients.chat, clients.responses):
        error, seen = broken(openai.APIConnectionError, call("cut_mid_stream", stream=True))
        equal((type(error.__cause__).__name__, seen > 1), ("RemoteProtocolError", True))
    raises(openai.APIConnectionError, lambda: clients.chat("cut_mid_stream"))
    raises(openai.APIConnectionError, lambda: clients.chat("reset"))
    hasty = clients.openai.with_options(timeout=0.2)
    wait = lambda: hasty.chat.completions.create(model="hang", messages=PROMPT)
    raises(openai.APITimeoutError, wait)


@check
def openai_error_in_stream(clients):
    error = raises(openai.APIError, lambda: list(clients.chat("stream_error", stream=True)))
    equal((error.code, error.type), ("server_error", "server_error"))
    error = raises(openai.APIError, lambda: list(clients.responses("stream_error", stream=True)))
    equal(error.code, "server_error")


@check
def anthropic_transfer(clients):
    # This package lets the transport's own class through, which it does not export.
    error, seen = broken(Exception, clients.messages("cut_mid_stream", stream=True))
    equal((type(error).__name__, seen > 1), ("RemoteProtocolError", True))
    raises(anthropic.APIConnectionError, lambda: clients.messages("reset"))


@check
def anthropic_error_in_stream(clients):
    stream = lambda: list(clients.messages("stream_error", stream=True))
    error = raises(anthropic.APIStatusError, stream)
    equal(error.body["error"]["type"], "overloaded_error")


@check
def gemini_transfer(clients):
    # This package lets the transport's own class through, which it does not export.
    error, seen = broken(Exception, clients.gemini_stream("cut_mid_stream"))
    equal((type(error).__name__, seen), ("RemoteProtocolError", 2))
    equal(type(raises(Exception, lambda: clients.gemini("reset"))).__name__, "ReadError")


@check
def gemini_error_in_stream(clients):
    error, seen = broken(google_errors.APIError, clients.gemini_stream("stream_error"))
    equal((error.code, error.status, seen), (503, "UNAVAILABLE", 2))


def run(url):
    clients = Clients(url)
    failed = 0
    for function in CHECKS:
        try:
            function(clients)
            outcome = "ok"
        except Exception as error:  # a check that fails must not hide the next one
            failed += 1
            detail = " ".join(f"{type(error).__name__}: {error}".split())
            outcome = f"FAILED {detail[:400]}"
        print(f"{function.__name__:<40} {outcome}")
    return failed


def main():
    urls = [url.rstrip("/") for url in sys.argv[1:]]
    if not urls:
        print(__doc__)
        return 2
    failed = sum(run(url) for url in urls)
    total = len(CHECKS) * len(urls)
    versions = f"openai {openai.__version__}, anthropic {anthropic.__version__}, google-genai {genai.__version__}"
    print(f"{total - failed} of {total} checks ok with {versions}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
