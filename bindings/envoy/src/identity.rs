//! Tells the upstream whose request it is, and keeps clients from saying so themselves.

use torii::Auth;

use crate::claims::{Claim, Claims, Found, Unreadable};
use crate::host::Host;

/// Headers and metadata that are made of claims.
#[derive(Debug)]
pub struct Identity {
    /// Request headers, in lower case, and the claims they hold.
    pub headers: Vec<(String, Claim)>,
    /// Keys of the dynamic metadata, and the claims they hold.
    pub metadata: Vec<(String, Claim)>,
    /// The namespace of that metadata.
    pub namespace: String,
}

impl Identity {
    /// Removes from a request what a client sent in place of an identity; returns whether there was
    /// any. Servers that read headers as variables take `_` for `-`, and so does this.
    pub fn remove(&self, host: &mut dyn Host) -> bool {
        if self.headers.is_empty() {
            return false;
        }
        let mut sent = Vec::new();
        host.each_header_name(&mut |name| {
            if self.headers.iter().any(|(ours, _)| same_name(ours.as_bytes(), name)) {
                sent.push(name.to_vec());
            }
        });
        for name in &sent {
            host.remove_header(name);
        }
        !sent.is_empty()
    }

    /// Tells the upstream, and the filters that follow, whose request it is. Tells them nothing if a
    /// claim cannot be forwarded: without it, a request could be let through that is not meant to.
    pub fn tell(&self, host: &mut dyn Host, auth: &Auth) -> Result<(), Unreadable> {
        let claims = Claims::default();
        let headers = look_up(&self.headers, auth, &claims)?;
        let metadata = look_up(&self.metadata, auth, &claims)?;
        headers.iter().try_for_each(|(_, found)| found.header().map(drop))?;
        for (name, found) in &headers {
            if let Some(text) = found.header()? {
                host.set_header(name, text.as_bytes());
            }
        }
        for (key, found) in &metadata {
            host.set_metadata(&self.namespace, key, &found.metadata());
        }
        Ok(())
    }
}

/// The claims that are there, and their names.
fn look_up<'a>(
    named: &'a [(String, Claim)],
    auth: &'a Auth,
    claims: &'a Claims,
) -> Result<Vec<(&'a str, Found<'a>)>, Unreadable> {
    let look_up = |(name, claim): &'a (String, Claim)| {
        let found = claim.of(auth, claims).transpose()?;
        Some(found.map(|found| (name.as_str(), found)))
    };
    named.iter().filter_map(look_up).collect()
}

fn same_name(a: &[u8], b: &[u8]) -> bool {
    let plain = |byte: &u8| if *byte == b'_' { b'-' } else { byte.to_ascii_lowercase() };
    a.len() == b.len() && a.iter().map(plain).eq(b.iter().map(plain))
}
