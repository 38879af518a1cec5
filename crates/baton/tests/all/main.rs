//! The binary, run as its users run it: in a home of its own, against a scripted upstream.

#[cfg(test)]
mod bad_input;
#[cfg(test)]
mod debate;
#[cfg(test)]
mod demo;
#[cfg(test)]
mod doctor;
#[cfg(test)]
mod eval;
#[cfg(test)]
mod handover;
#[cfg(test)]
mod interrupted;
#[cfg(test)]
mod kind;
#[cfg(test)]
mod located;
#[cfg(test)]
mod mcp;
#[cfg(test)]
mod mission;
#[cfg(test)]
mod outcomes;
#[cfg(test)]
mod patch_by_default;
#[cfg(test)]
mod patches;
#[cfg(test)]
mod people;
#[cfg(test)]
mod plain_words;
#[cfg(test)]
mod quorum;
#[cfg(test)]
mod rate;
#[cfg(test)]
mod refine;
#[cfg(test)]
mod reproductions;
#[cfg(test)]
mod screens;
#[cfg(test)]
mod structured;
#[cfg(test)]
mod table;
