//! The user's rule of who takes over from whom, as typed: `codex = ["claude", "gemini"]`.

use std::collections::BTreeMap;

use baton_core::ids::MemberId;
use baton_core::member::Member;

use super::Config;

/// Names as typed. One that is no member's stands for all members whose name begins with it and a hyphen.
pub(crate) type HandoverRules = BTreeMap<String, Vec<String>>;

impl Config {
    /// The rules among these members, names resolved. A member never takes over from itself.
    pub(crate) fn followers(&self, members: &[Member]) -> BTreeMap<MemberId, Vec<MemberId>> {
        let ids: Vec<&MemberId> = members.iter().filter(|member| !member.is_check()).map(|member| &member.id).collect();
        let mut rules: BTreeMap<MemberId, Vec<MemberId>> = BTreeMap::new();
        // A member's own name goes before one that only begins like it, whatever their order in the file.
        let mut typed: Vec<(&String, &Vec<String>)> = self.handover.iter().collect();
        typed.sort_by_key(|(name, _)| std::cmp::Reverse(name.len()));
        for (name, followers) in typed {
            for id in self.meant(name, &ids) {
                if rules.contains_key(id) {
                    continue;
                }
                let mut found: Vec<MemberId> = Vec::new();
                for follower in followers.iter().flat_map(|follower| self.meant(follower, &ids)) {
                    if follower != id && !found.contains(follower) {
                        found.push(follower.clone());
                    }
                }
                rules.insert(id.clone(), found);
            }
        }
        rules
    }

    /// A name in the rules that is nobody's, which must not be silently without effect.
    pub(super) fn unknown_in_handover(&self) -> Option<&String> {
        let ids: Vec<&MemberId> = self.entries.iter().map(|entry| &entry.member.id).collect();
        let local = |name: &str| self.locals.iter().any(|server| name.starts_with(server.name.as_str()));
        let mut names = self.handover.iter().flat_map(|(name, followers)| std::iter::once(name).chain(followers));
        names.find(|name| self.meant(name, &ids).is_empty() && !local(name))
    }

    /// The members among `ids` that a name stands for. The name of a member that is not here stands for nobody else.
    fn meant<'a>(&self, name: &str, ids: &[&'a MemberId]) -> Vec<&'a MemberId> {
        let is_known = self.entries.iter().any(|entry| entry.member.id.as_str() == name);
        let begins = |id: &MemberId| id.as_str().strip_prefix(name).is_some_and(|rest| rest.starts_with('-'));
        let stands_for = |id: &MemberId| id.as_str() == name || (!is_known && begins(id));
        ids.iter().copied().filter(|id| stands_for(id)).collect()
    }
}
