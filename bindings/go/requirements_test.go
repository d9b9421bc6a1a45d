package torii_test

import (
	"encoding/json"
	"errors"
	"math"
	"runtime"
	"strings"
	"testing"

	torii "libtorii.internal/go"
)

func newRequirements(t testing.TB, requirements ...torii.Requirement) *torii.Requirements {
	t.Helper()
	made, err := torii.NewRequirements(requirements...)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// One verifier serves calls with different requirements, which add to its own.
func TestRequirements(t *testing.T) {
	issuer := newEnvironment(t)
	verifier := newVerifier(t, issuer.Issuer, torii.Require(torii.EmailVerified), torii.Require(torii.RequireClaim("/plan", "pro")))
	pro := `{"claims":{"email_verified":true,"plan":"pro","seats":3,"beta":true,"o":{"id":"org-1","rol":"admin"},"act":{"sub":"support"}}}`
	token := issuer.Mint(t, pro)

	// The first call waits for the keys, and also checks its requirements.
	if _, err := verifier.Verify(t.Context(), token, newRequirements(t, torii.NotImpersonated)); !errors.Is(err, torii.ErrPolicy) {
		t.Error(err)
	}
	for name, c := range map[string]struct {
		requirements []*torii.Requirements
		met          bool
	}{
		"none":                        {nil, true},
		"a number":                    {[]*torii.Requirements{newRequirements(t, torii.RequireClaim("/seats", 3))}, true},
		"another number":              {[]*torii.Requirements{newRequirements(t, torii.RequireClaim("/seats", 4))}, false},
		"a boolean":                   {[]*torii.Requirements{newRequirements(t, torii.RequireClaim("/beta", true))}, true},
		"JSON":                        {[]*torii.Requirements{newRequirements(t, torii.RequireClaim("/plan", json.RawMessage(`"pro"`)))}, true},
		"an organization":             {[]*torii.Requirements{newRequirements(t, torii.RequireOrganization("org-1"))}, true},
		"any of two organizations":    {[]*torii.Requirements{newRequirements(t, torii.RequireOrganization("org-2"), torii.RequireOrganizationRole("org-1", "admin"))}, true},
		"another role":                {[]*torii.Requirements{newRequirements(t, torii.RequireOrganizationRole("org-1", "owner"))}, false},
		"flags":                       {[]*torii.Requirements{newRequirements(t, torii.NotImpersonated|torii.EmailVerified)}, false},
		"all of several":              {[]*torii.Requirements{newRequirements(t, torii.OrganizationActive), newRequirements(t, torii.RequireClaim("/seats", 3))}, true},
		"the first of several is not": {[]*torii.Requirements{newRequirements(t, torii.NotImpersonated), newRequirements(t, torii.RequireClaim("/seats", 3))}, false},
		"the last of several is not":  {[]*torii.Requirements{newRequirements(t, torii.RequireClaim("/seats", 3)), newRequirements(t, torii.NotImpersonated)}, false},
	} {
		runtime.GC()
		auth, err := verifier.Verify(t.Context(), token, c.requirements...)
		if c.met && (err != nil || auth.OrganizationRole != "admin") || !c.met && (auth != nil || !errors.Is(err, torii.ErrPolicy)) {
			t.Errorf("%s: %+v, %v", name, auth, err)
		}
		if _, err := verifier.Authenticate(t.Context(), "Bearer "+token, c.requirements...); (err == nil) != c.met {
			t.Errorf("%s: %v", name, err)
		}
	}
	// Those of several options add up.
	for _, claims := range []string{`{"email_verified":true}`, `{"email_verified":false,"plan":"pro"}`} {
		if _, err := verifier.Verify(t.Context(), issuer.Mint(t, `{"claims":`+claims+`}`)); !errors.Is(err, torii.ErrPolicy) {
			t.Errorf("%s: %v", claims, err)
		}
	}
}

// An invalid or missing argument is an error, and never fewer requirements.
func TestWrongRequirements(t *testing.T) {
	for name, c := range map[string]struct {
		requirements []torii.Requirement
		about        string
	}{
		"none":                 {nil, "none"},
		"nil":                  {[]torii.Requirement{torii.EmailVerified, nil}, "nil"},
		"no flag":              {[]torii.Requirement{torii.Flags(0)}, "flags"},
		"an unknown flag":      {[]torii.Requirement{torii.Flags(1 << 31)}, "flags"},
		"an empty pointer":     {[]torii.Requirement{torii.RequireClaim("", "pro")}, "pointer"},
		"a malformed pointer":  {[]torii.Requirement{torii.RequireClaim("plan", "pro")}, "pointer"},
		"null":                 {[]torii.Requirement{torii.RequireClaim("/plan", nil)}, "json"},
		"an array":             {[]torii.Requirement{torii.RequireClaim("/plan", []string{"pro"})}, "json"},
		"no UTF-8":             {[]torii.Requirement{torii.RequireClaim("/plan", "\xff")}, "UTF-8"},
		"no organization":      {[]torii.Requirement{torii.RequireOrganization("")}, "id"},
		"no role":              {[]torii.Requirement{torii.RequireOrganizationRole("org-1", "")}, "role"},
		"wrong beside a right": {[]torii.Requirement{torii.EmailVerified, torii.RequireOrganization("")}, "id"},
	} {
		made, err := torii.NewRequirements(c.requirements...)
		if made != nil || !errors.Is(err, torii.ErrInvalidArgument) || !strings.Contains(err.Error(), c.about) {
			t.Errorf("%s: %v, %v", name, made, err)
		}
		_, err = torii.NewVerifier("https://acme.torii.so", torii.Require(c.requirements...))
		if !errors.Is(err, torii.ErrInvalidArgument) || !strings.Contains(err.Error(), c.about) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := torii.NewRequirements(torii.RequireClaim("/plan", math.NaN())); err == nil {
		t.Error("NaN is a requirement")
	}
	verifier := newVerifier(t, "https://acme.torii.so")
	if _, err := verifier.Verify(t.Context(), "x", nil); !errors.Is(err, torii.ErrInvalidArgument) {
		t.Error("nil requirements:", err)
	}
}

func TestMeets(t *testing.T) {
	nobody := torii.Auth{Impersonating: true}
	if nobody.Meets(torii.ProfileComplete) || nobody.Meets(torii.NotImpersonated) || nobody.Meets(torii.OrganizationActive) ||
		nobody.Meets(1<<31) || !nobody.Meets(0) {
		t.Error("no token meets a requirement")
	}
	auth := torii.Auth{EmailVerified: true, OrganizationID: "org-1"}
	if !auth.Meets(torii.EmailVerified|torii.OrganizationActive|torii.NotImpersonated) || auth.Meets(torii.EmailVerified|torii.ProfileComplete) {
		t.Error(auth)
	}
}
