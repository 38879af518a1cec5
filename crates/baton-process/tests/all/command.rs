use baton_process::{Command, Stdin};

#[test]
fn debug_shows_no_secret() {
    let command = Command::new("/bin/agent", "/tmp")
        .args(["--model", "small"])
        .env("API_KEY", "hunter2")
        .stdin(Stdin::Bytes(b"the prompt".to_vec()));
    let text = format!("{command:?}");
    for shown in ["/bin/agent", "--model", "API_KEY", "Bytes(10 bytes)"] {
        assert!(text.contains(shown), "{shown} is missing in {text}");
    }
    for hidden in ["hunter2", "the prompt"] {
        assert!(!text.contains(hidden), "{hidden} is shown in {text}");
    }
    assert!(!format!("{:?}", Stdin::open().0).contains("Queue"));
}

#[test]
fn the_last_value_of_a_variable_counts() {
    let command = Command::new("/bin/agent", "/tmp").env("A", "1").envs([("A".into(), "2".into())]).env("B", "3");
    let pairs: Vec<_> = command.environment().iter().map(|(name, value)| (name.to_str(), value.to_str())).collect();
    assert_eq!(pairs, [(Some("A"), Some("2")), (Some("B"), Some("3"))]);
}

#[test]
fn input_after_the_run_is_refused() {
    let (stdin, input) = Stdin::open();
    input.send("waits").unwrap();
    drop(stdin);
    assert!(input.send("too late").is_err());
}
