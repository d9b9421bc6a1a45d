package torii

// #include "shim.h"
import "C"

import "runtime"

// Requirement is a condition that a valid token must also meet: [Flags], a claim of
// [RequireClaim], an organization of [RequireOrganization] or [RequireOrganizationRole].
type Requirement interface {
	addTo(requirements *C.torii_requirements_t) error
}

// Flags are requirements that torii's own claims answer. Combine them with |.
type Flags uint32

const (
	// EmailVerified requires that the claim email_verified is true. torii stamps it only through the
	// environment's default JWT template.
	EmailVerified Flags = C.TORII_REQUIRE_EMAIL_VERIFIED
	// ProfileComplete requires that profile_complete is not false.
	ProfileComplete Flags = C.TORII_REQUIRE_PROFILE_COMPLETE
	// NotImpersonated requires that neither impersonating nor act says that another party acts as the
	// user.
	NotImpersonated Flags = C.TORII_REQUIRE_NOT_IMPERSONATED
	// OrganizationActive requires that an organization is active.
	OrganizationActive Flags = C.TORII_REQUIRE_ORGANIZATION
)

func (f Flags) addTo(requirements *C.torii_requirements_t) error {
	return refused(func(e **C.torii_error_t) C.torii_status_t {
		return C.torii_requirements_add_flags(requirements, C.uint32_t(f), e)
	})
}

type requiredClaim struct {
	pointer string
	value   any
}

// RequireClaim requires that the claim at the JSON pointer (RFC 6901) equals the value, or is an array
// that contains it. The value is a string, a number or a boolean, or any of them as a
// [json.RawMessage]. A token without the claim does not meet the requirement.
func RequireClaim(pointer string, value any) Requirement {
	return requiredClaim{pointer, value}
}

func (c requiredClaim) addTo(requirements *C.torii_requirements_t) error {
	json, err := marshal("value of claim "+c.pointer, c.value)
	if err != nil {
		return err
	}
	p, n := text(c.pointer)
	j, jn := text(json)
	return refused(func(e **C.torii_error_t) C.torii_status_t {
		return C.torii_requirements_add_claim(requirements, p, n, j, jn, e)
	})
}

type requiredOrganization struct {
	id, role string
	anyRole  bool
}

// RequireOrganization requires that this organization is active, in any role, or another one that is
// required beside it.
func RequireOrganization(id string) Requirement {
	return requiredOrganization{id: id, anyRole: true}
}

// RequireOrganizationRole requires that this organization is active in this role, or another one that
// is required beside it. A role alone cannot be required: anyone can create an organization and own it.
func RequireOrganizationRole(id, role string) Requirement {
	return requiredOrganization{id: id, role: role}
}

func (o requiredOrganization) addTo(requirements *C.torii_requirements_t) error {
	// C takes an empty role for none, which any role would meet.
	if o.role == "" && !o.anyRole {
		return &Error{Status: ErrInvalidArgument, Message: "role: empty (expected a name)"}
	}
	p, n := text(o.id)
	r, rn := text(o.role)
	return refused(func(e **C.torii_error_t) C.torii_status_t {
		return C.torii_requirements_add_organization(requirements, p, n, r, rn, e)
	})
}

// Requirements are those of one call or one route, in addition to the verifier's. All of them must
// hold; of several organizations, any one. They do not change, and any number of goroutines may use
// the same ones at once.
type Requirements struct {
	requirements *C.torii_requirements_t
}

// NewRequirements creates requirements for [Verifier.Verify], [Verifier.Authenticate] and
// [WithRequirements].
func NewRequirements(requirements ...Requirement) (*Requirements, error) {
	if err := checkABI(); err != nil {
		return nil, err
	}
	if len(requirements) == 0 {
		return nil, &Error{Status: ErrInvalidArgument, Message: "requirements: none (expected at least one)"}
	}
	made := &Requirements{C.torii_requirements_new()}
	runtime.AddCleanup(made, func(r *C.torii_requirements_t) { C.torii_requirements_free(r) }, made.requirements)
	for _, requirement := range requirements {
		if requirement == nil {
			return nil, &Error{Status: ErrInvalidArgument, Message: "requirements: one is nil"}
		}
		if err := requirement.addTo(made.requirements); err != nil {
			return nil, err
		}
	}
	return made, nil
}
