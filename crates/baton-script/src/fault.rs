//! The catalogue of faults.

use serde::{Deserialize, Serialize};

/// Writes the enum, its list and its names from one table, so that none can be forgotten.
macro_rules! faults {
    ($($(#[doc = $text:literal])+ $variant:ident = $name:literal,)+) => {
        /// One way in which a vendor's answer goes wrong.
        ///
        /// Where a fault speaks of deltas, a reply that is not streamed is treated alike: "after n
        /// deltas" is then half of the body, and the end marker is the last brace.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum Fault {
            $($(#[doc = $text])+ #[serde(rename = $name)] $variant,)+
        }

        impl Fault {
            /// Every fault, once, in the order of the catalogue.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The name that a script uses.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }
        }
    };
}

faults! {
    /// 401: the key is wrong.
    Unauthorized = "unauthorized",
    /// 403: the key is right and not allowed to do this.
    Forbidden = "forbidden",
    /// 404: no such model.
    ModelNotFound = "model_not_found",
    /// 400: the prompt is longer than the context window.
    ContextTooLong = "context_too_long",
    /// 413: the request is too large.
    TooLarge = "too_large",
    /// 429 without `retry-after`.
    RateLimited = "rate_limited",
    /// 429 with `retry-after` in seconds.
    RateLimitedSeconds = "rate_limited_seconds",
    /// 429 with `retry-after` as an HTTP date.
    RateLimitedDate = "rate_limited_date",
    /// The account has no money left: OpenAI's 429 `insufficient_quota`; Anthropic's 400 about the
    /// credit balance.
    InsufficientQuota = "insufficient_quota",
    /// 400: the model or the server knows no schemas for answers.
    SchemaRefused = "schema_refused",
    /// 500 with the vendor's error body.
    ServerError = "server_error",
    /// 502 with an HTML page of a proxy.
    BadGatewayHtml = "bad_gateway_html",
    /// 503 with the vendor's error body.
    Unavailable = "unavailable",
    /// 529: overloaded.
    Overloaded = "overloaded",
    /// 302 to another address: a client that follows it hands the key to a stranger.
    Redirect = "redirect",
    /// 200 with an HTML page, as a captive portal sends.
    HtmlSuccess = "html_success",
    /// 200 with an error object as the body.
    ErrorInSuccess = "error_in_success",
    /// 200 with a body of no bytes.
    EmptyBody = "empty_body",
    /// The whole response one byte at a time, `gap_ms` apart.
    SlowBytes = "slow_bytes",
    /// Accepts and reads the request, then never answers.
    HangBeforeHead = "hang_before_head",
    /// Sends the head, then nothing.
    HangAfterHead = "hang_after_head",
    /// Sends n deltas, then nothing, with the connection open.
    HangMidStream = "hang_mid_stream",
    /// Sends the head, then keep-alive comments for ever (5 ms apart when `gap_ms` is 0); blank
    /// lines when not streamed.
    KeepAliveOnly = "keep_alive_only",
    /// Closes in order without a byte of an answer.
    CloseBeforeHead = "close_before_head",
    /// Closes after n deltas, in the middle of the transfer.
    CutMidStream = "cut_mid_stream",
    /// Closes in the middle of a character of three bytes.
    CutInCharacter = "cut_in_character",
    /// Ends the transfer properly after n deltas: only the events that are missing tell.
    EndsEarly = "ends_early",
    /// Everything but the end marker (`[DONE]`, `message_stop`, `response.completed`), then a
    /// proper end of the transfer.
    MissingEnd = "missing_end",
    /// The end marker twice.
    DuplicateEnd = "duplicate_end",
    /// Resets the connection before the head.
    Reset = "reset",
    /// Resets the connection after n deltas.
    ResetMidStream = "reset_mid_stream",
    /// The framing of the chunks is broken after n deltas.
    BrokenChunk = "broken_chunk",
    /// 200 with bytes that are neither JSON nor text.
    GarbageBody = "garbage_body",
    /// Lines that are no event-stream fields before each event; the reply itself is whole.
    GarbageLines = "garbage_lines",
    /// One data line with broken JSON after n deltas; the rest of the reply follows.
    InvalidJsonLine = "invalid_json_line",
    /// One delta of 50 MB on one line; written from a small buffer.
    HugeLine = "huge_line",
    /// Deltas for ever.
    EndlessTokens = "endless_tokens",
    /// An error event after n deltas.
    StreamError = "stream_error",
    /// 10,000 header lines, then a good reply.
    ManyHeaders = "many_headers",
    /// JSON nested 10,000 levels deep.
    DeepJson = "deep_json",
    /// Success with an empty text.
    EmptyText = "empty_text",
    /// The model refuses.
    Refusal = "refusal",
    /// A filter of the vendor cut the text.
    ContentFilter = "content_filter",
    /// The limit of output tokens cut the text.
    Length = "length",
    /// A good reply without any usage numbers.
    NoUsage = "no_usage",
    /// A good reply from another model than the one asked for.
    WrongModel = "wrong_model",
}

impl Fault {
    /// Whether the response never ends by itself: the client must give up, or the server stop.
    #[must_use]
    pub const fn never_ends(self) -> bool {
        matches!(
            self,
            Self::HangBeforeHead
                | Self::HangAfterHead
                | Self::HangMidStream
                | Self::KeepAliveOnly
                | Self::EndlessTokens
        )
    }
}
