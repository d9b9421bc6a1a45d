//! The emulator's state, shared by the server and the handles.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::{Mutex, PoisonError};

use crate::contract::Violations;
use crate::environment::{Environment, IssuerInfo};
use crate::fault::Faults;
use crate::keys::Key;
use crate::log::Log;
use crate::mint::{Mint, Signer};

/// The environment that exists from the start.
pub(crate) const DEFAULT_ISSUER: &str = "acme";

/// All environments by name.
pub(crate) type Environments = BTreeMap<String, Environment>;

/// The emulator's state.
pub(crate) struct World {
    base: String,
    environments: Mutex<Environments>,
    pub(crate) faults: Faults,
    pub(crate) log: Log,
    pub(crate) violations: Violations,
}

impl World {
    /// A world with the default issuer, served at the base URL.
    pub(crate) fn new(base: String) -> Self {
        let acme = Environment::new(&base, DEFAULT_ISSUER);
        Self {
            base,
            environments: Mutex::new(BTreeMap::from([(acme.name.clone(), acme)])),
            faults: Faults::default(),
            log: Log::default(),
            violations: Violations::default(),
        }
    }

    /// The URL everything is below, without a trailing slash.
    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    /// Runs `f` on the named environment, if it exists.
    pub(crate) fn with<R>(&self, name: &str, f: impl FnOnce(&mut Environment) -> R) -> Option<R> {
        self.with_all(|environments| environments.get_mut(name).map(f))
    }

    /// Runs `f` on all environments.
    pub(crate) fn with_all<R>(&self, f: impl FnOnce(&mut Environments) -> R) -> R {
        f(&mut self.environments.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Adds an environment with a name that can stand in a URL.
    pub(crate) fn create(&self, name: &str) -> Result<IssuerInfo, String> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        let taken = name == "api" || name.starts_with('_') || name.starts_with('.');
        if name.is_empty() || taken || !name.bytes().all(plain) {
            return Err(format!("an issuer cannot be named {name:?}"));
        }
        self.with_all(|environments| match environments.entry(name.to_owned()) {
            Entry::Occupied(_) => Err(format!("there is already an issuer named {name:?}")),
            Entry::Vacant(free) => Ok(free.insert(Environment::new(&self.base, name)).info()),
        })
    }

    /// A token of the named issuer.
    pub(crate) fn mint(&self, name: &str, mint: &Mint) -> Result<String, String> {
        self.with_all(|environments| {
            let missing = |name: &str| format!("there is no issuer named {name:?}");
            let issuer = environments.get_mut(name).ok_or_else(|| missing(name))?;
            let claims = issuer.claims(mint)?;
            let issuer = &environments[name];
            let current = issuer.keys.current();
            let forged;
            let (kid, key) = match mint.signer() {
                Signer::Current => (&current.kid, Some(current)),
                Signer::Kid(kid) => {
                    let key = issuer.keys.find(kid);
                    (kid, Some(key.ok_or_else(|| format!("{name} never had a key {kid:?}"))?))
                }
                Signer::Issuer(other) => {
                    let other = environments.get(other).ok_or_else(|| missing(other))?;
                    (&current.kid, Some(other.keys.current()))
                }
                Signer::Forged => {
                    forged = Key::generate(None);
                    (&current.kid, Some(&forged))
                }
                Signer::None => (&current.kid, None),
            };
            let input = mint.signing_input(kid, claims);
            let signature = key.map(|key| key.sign(&input)).unwrap_or_default();
            Ok(format!("{input}.{signature}"))
        })
    }

    /// Resets everything to the initial state; the default issuer keeps its id and its secret key.
    pub(crate) fn reset(&self) {
        self.with_all(|environments| {
            environments.retain(|name, _| name == DEFAULT_ISSUER);
            environments.values_mut().for_each(|environment| environment.reset(&self.base));
        });
        self.faults.clear();
        self.log.clear();
        self.violations.clear();
    }
}
