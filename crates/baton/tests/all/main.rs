//! The binary, run as its users run it: in a home of its own, against a scripted upstream.

mod bad_input;
mod demo;
mod interrupted;
mod mission;
mod people;
mod table;
