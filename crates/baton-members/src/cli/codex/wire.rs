//! Parts of the messages of `codex app-server`. Pure.

use baton_core::outcome::Outcome;
use baton_core::units::Usage;
use serde_json::{Value, json};

use crate::cli::words;
use crate::rpc;

/// The class of a turn's error: by its status, its words, and the program's name for it.
pub(super) fn error_class(error: &Value, message: &str) -> Option<Outcome> {
    let info = &error["codexErrorInfo"];
    let status = info.as_object().and_then(|object| object.values().find_map(|value| value["httpStatusCode"].as_u64()));
    let status = status.and_then(|status| u16::try_from(status).ok()).filter(|status| *status >= 400);
    let details = error["additionalDetails"].as_str().unwrap_or_default();
    words::class(status, &format!("{message}\n{details}")).or_else(|| match info.as_str()? {
        "contextWindowExceeded" => Some(Outcome::ContextTooLong),
        "usageLimitExceeded" | "sessionBudgetExceeded" => Some(Outcome::QuotaExhausted),
        "rateLimitExceeded" => Some(Outcome::RateLimited { retry_after_ms: None }),
        "serverOverloaded" | "internalServerError" | "flexUnavailable" => Some(Outcome::Overloaded),
        "unauthorized" => Some(Outcome::Auth),
        "modelNotFound" | "badRequest" => Some(Outcome::Rejected),
        "cyberPolicy" | "misalignmentPolicyViolation" => Some(Outcome::Refused),
        _ => None,
    })
}

/// Read-only: no approval, no further permission, no answer in the user's name.
pub(super) fn answer(id: &Value, method: &str) -> Vec<u8> {
    let result = match method {
        "item/commandExecution/requestApproval" | "item/fileChange/requestApproval" => json!({ "decision": "decline" }),
        "execCommandApproval" | "applyPatchApproval" => json!({ "decision": "denied" }),
        "item/permissions/requestApproval" => json!({ "permissions": {} }),
        "mcpServer/elicitation/request" => json!({ "action": "decline" }),
        "item/tool/requestUserInput" => json!({ "answers": {} }),
        _ => return rpc::method_not_found(id, method),
    };
    rpc::result(id, &result)
}

pub(super) fn usage(total: &Value) -> Option<Usage> {
    let number = |name: &str| total[name].as_u64();
    Some(Usage {
        input_tokens: number("inputTokens")?,
        cached_tokens: number("cachedInputTokens").unwrap_or(0),
        output_tokens: number("outputTokens")?,
        reported_cost: None,
    })
}

pub(super) fn owned(value: &Value) -> Option<String> {
    value.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}
