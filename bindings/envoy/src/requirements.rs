//! The requirements of a filter or a route.

use serde::Deserialize;
use serde::de::{self, Deserializer};
use torii::{
    Auth, REQUIRE_EMAIL_VERIFIED, REQUIRE_NOT_IMPERSONATED, REQUIRE_ORGANIZATION,
    REQUIRE_PROFILE_COMPLETE, Requirements,
};

/// Alternative sets of requirements, of which a login has to meet one. Without any, every login
/// does.
#[derive(Clone, Debug, Default)]
pub struct AnyOf(Vec<Requirements>);

impl AnyOf {
    /// Whether there is no requirement.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Checks that a login meets one of the sets. The error is that of the first.
    pub fn check(&self, auth: &Auth) -> torii::Result<()> {
        let Some((first, others)) = self.0.split_first() else { return Ok(()) };
        auth.require(first).or_else(|error| {
            let met = others.iter().any(|requirements| auth.require(requirements).is_ok());
            if met { Ok(()) } else { Err(error) }
        })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Set {
    #[serde(default)]
    flags: Vec<Flag>,
    #[serde(default)]
    claims: Vec<RequiredClaim>,
    #[serde(default)]
    organizations: Vec<RequiredOrganization>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Flag {
    EmailVerified,
    ProfileComplete,
    NotImpersonated,
    Organization,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RequiredClaim {
    pointer: String,
    json: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RequiredOrganization {
    id: String,
    role: Option<String>,
}

impl Set {
    fn is_empty(&self) -> bool {
        self.flags.is_empty() && self.claims.is_empty() && self.organizations.is_empty()
    }

    fn build(&self) -> torii::Result<Requirements> {
        let mut requirements = Requirements::new();
        for flag in &self.flags {
            requirements.add_flags(match flag {
                Flag::EmailVerified => REQUIRE_EMAIL_VERIFIED,
                Flag::ProfileComplete => REQUIRE_PROFILE_COMPLETE,
                Flag::NotImpersonated => REQUIRE_NOT_IMPERSONATED,
                Flag::Organization => REQUIRE_ORGANIZATION,
            })?;
        }
        for RequiredClaim { pointer, json } in &self.claims {
            requirements.add_claim(pointer, json)?;
        }
        for RequiredOrganization { id, role } in &self.organizations {
            requirements.add_organization(id, role.as_deref())?;
        }
        Ok(requirements)
    }
}

impl<'de> Deserialize<'de> for AnyOf {
    /// Reads one set, or a list of alternatives.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneOrMore;

        impl<'de> de::Visitor<'de> for OneOrMore {
            type Value = Vec<Set>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("requirements, or a list of alternatives")
            }

            fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<Vec<Set>, A::Error> {
                let set = Set::deserialize(de::value::MapAccessDeserializer::new(map))?;
                Ok(if set.is_empty() { Vec::new() } else { vec![set] })
            }

            fn visit_seq<A: de::SeqAccess<'de>>(self, mut list: A) -> Result<Vec<Set>, A::Error> {
                let mut sets: Vec<Set> = Vec::new();
                while let Some(set) = list.next_element()? {
                    sets.push(set);
                }
                if sets.is_empty() || sets.iter().any(Set::is_empty) {
                    let why = "`requirements`: an alternative without a requirement";
                    return Err(de::Error::custom(why));
                }
                Ok(sets)
            }
        }

        let sets = deserializer.deserialize_any(OneOrMore)?;
        let built = sets.iter().map(Set::build).collect::<Result<_, _>>();
        built.map(AnyOf).map_err(|error| de::Error::custom(format!("`requirements`: {error}")))
    }
}
