//! The test kit's own promises, and those of other crates that can only be shown with its fakes.
#![cfg(unix)]

#[cfg(test)]
mod acp_channel;
#[cfg(test)]
mod cli_channels;
#[cfg(test)]
mod declared_channel;
#[cfg(test)]
mod fake_agent;
#[cfg(test)]
mod large_prompts;
#[cfg(test)]
mod mcp_channel;
#[cfg(test)]
mod mcp_handover;
#[cfg(test)]
mod mcp_remote;
#[cfg(test)]
mod place;
#[cfg(test)]
mod process_deaths;
#[cfg(test)]
mod process_faults;
#[cfg(test)]
mod process_shim;
#[cfg(test)]
mod stage;
#[cfg(test)]
mod warm_channels;
#[cfg(test)]
mod warm_pool;
#[cfg(test)]
mod warm_support;
