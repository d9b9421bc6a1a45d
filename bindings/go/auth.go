package torii

import (
	"context"
	"encoding/json"
	"time"
)

// Auth is the identity in a verified token.
type Auth struct {
	UserID        string
	EnvironmentID string
	// Issuer is the configured issuer that signed the token, without trailing slashes.
	Issuer string
	// Locale is the user's preferred locale, nil if absent.
	Locale *string
	// OrganizationID is the active organization, "" if none is active. OrganizationRole is the user's
	// role in it, "" if absent: check it together with the ID, since anyone can create an organization
	// and name its roles.
	OrganizationID   string
	OrganizationRole string
	// ActorID is the party that acts as the user, from the claim act; "" if absent, which does not mean
	// that there is no such party: see Impersonating.
	ActorID string
	// EmailVerified, ProfileComplete and Impersonating are false, true and false if the token does not
	// say.
	EmailVerified   bool
	ProfileComplete bool
	Impersonating   bool
	IssuedAt        time.Time
	ExpiresAt       time.Time
	// ClaimsJSON is the payload of the token, exactly as signed.
	ClaimsJSON string

	locale string // what Locale points to
}

// Meets reports whether this login meets all of the flags.
func (a *Auth) Meets(flags Flags) bool {
	met := OrganizationActive
	if a.OrganizationID == "" {
		met = 0
	}
	if a.EmailVerified {
		met |= EmailVerified
	}
	if a.ProfileComplete {
		met |= ProfileComplete
	}
	if !a.Impersonating {
		met |= NotImpersonated
	}
	return flags&^met == 0
}

// DecodeClaims decodes all claims, your own included, as [json.Unmarshal] does.
func (a *Auth) DecodeClaims(into any) error {
	return json.Unmarshal([]byte(a.ClaimsJSON), into)
}

type authKey struct{}

// ContextWithAuth gives handlers an identity without a token: for tests, or another way to
// authenticate.
func ContextWithAuth(ctx context.Context, auth *Auth) context.Context {
	return context.WithValue(ctx, authKey{}, auth)
}

// AuthFromContext returns the identity of a request that passed [Middleware]. There is none in a
// request that passed without credentials, by [Optional] or [Skip].
func AuthFromContext(ctx context.Context) (*Auth, bool) {
	auth, ok := ctx.Value(authKey{}).(*Auth)
	return auth, ok
}
