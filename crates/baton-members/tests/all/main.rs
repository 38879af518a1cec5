#[cfg(test)]
mod acp_client;
#[cfg(test)]
mod acp_true;
#[cfg(test)]
mod check_runs;
#[cfg(test)]
mod cli_args;
#[cfg(test)]
mod cli_parse;
#[cfg(test)]
mod cli_true;
#[cfg(test)]
mod declared_catalog;
#[cfg(test)]
mod declared_settings;
#[cfg(test)]
mod declared_true;
#[cfg(test)]
mod golden;
#[cfg(test)]
mod http_faults;
#[cfg(test)]
mod http_golden;
#[cfg(test)]
mod http_limits;
#[cfg(test)]
mod http_request;
#[cfg(test)]
mod http_seats;
#[cfg(test)]
mod http_structured;
#[cfg(test)]
mod http_support;
#[cfg(test)]
mod mcp_settings;
#[cfg(test)]
mod mcp_true;
#[cfg(test)]
mod warm_true;
