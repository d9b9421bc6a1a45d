//! Requirements, which JavaScript names by a number: a call that has to be fast can pass one.

use std::sync::{Arc, PoisonError, RwLock};

use napi::bindgen_prelude::*;
use napi_derive::napi;
use torii::Requirements;

use crate::failure::thrown;

static MADE: RwLock<Vec<Option<Arc<Requirements>>>> = RwLock::new(Vec::new());

/// A claim and the JSON scalar that it has to equal.
#[napi(object)]
pub struct RequiredClaim {
    pub pointer: String,
    pub json: String,
}

/// An organization, and the role in it.
#[napi(object)]
pub struct RequiredOrganization {
    pub id: String,
    pub role: Option<String>,
}

/// Makes requirements and returns their number, 1 or more.
#[napi(catch_unwind)]
pub fn make_requirements(
    flags: u32,
    claims: Vec<RequiredClaim>,
    organizations: Vec<RequiredOrganization>,
) -> Result<u32> {
    let made = make(flags, &claims, &organizations).map_err(|error| thrown(&error))?;
    let mut all = MADE.write().unwrap_or_else(PoisonError::into_inner);
    let index = match all.iter().position(Option::is_none) {
        Some(free) => free,
        None => {
            all.push(None);
            all.len() - 1
        }
    };
    if let Some(place) = all.get_mut(index) {
        *place = Some(Arc::new(made));
    }
    u32::try_from(index + 1).map_err(|_| Error::from_reason(crate::failure::internal("too many")))
}

/// Forgets requirements that JavaScript can no longer name.
#[napi(catch_unwind)]
pub fn drop_requirements(number: u32) {
    let mut all = MADE.write().unwrap_or_else(PoisonError::into_inner);
    if let Some(place) = index(number).and_then(|index| all.get_mut(index)) {
        *place = None;
    }
}

/// The requirements of this number.
pub(crate) fn get(number: u32) -> Option<Arc<Requirements>> {
    MADE.read().unwrap_or_else(PoisonError::into_inner).get(index(number)?)?.clone()
}

fn index(number: u32) -> Option<usize> {
    usize::try_from(number).ok()?.checked_sub(1)
}

fn make(
    flags: u32,
    claims: &[RequiredClaim],
    organizations: &[RequiredOrganization],
) -> torii::Result<Requirements> {
    let mut requirements = Requirements::new();
    if flags != 0 {
        requirements.add_flags(flags)?;
    }
    for claim in claims {
        requirements.add_claim(&claim.pointer, &claim.json)?;
    }
    for organization in organizations {
        requirements.add_organization(&organization.id, organization.role.as_deref())?;
    }
    Ok(requirements)
}
