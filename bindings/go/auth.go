package torii

import (
	"context"
	"encoding/json"
	"time"
)

// Auth is the user a token was issued to, as the issuer signed it.
type Auth struct {
	UserID        string
	EnvironmentID string
	// Issuer is the configured one that the token is of, without trailing slashes.
	Issuer string
	// Locale is nil when the token names none.
	Locale *string
	// EmailVerified, ProfileComplete and Impersonating are what the token says, where silence means
	// false, true and false.
	EmailVerified   bool
	ProfileComplete bool
	Impersonating   bool
	IssuedAt        time.Time
	ExpiresAt       time.Time
	// ClaimsJSON is the payload of the token, exactly as it was signed.
	ClaimsJSON string
}

// DecodeClaims decodes all claims, those of your own included, as [json.Unmarshal] does.
func (a *Auth) DecodeClaims(into any) error {
	return json.Unmarshal([]byte(a.ClaimsJSON), into)
}

type authKey struct{}

// ContextWithAuth gives handlers a user without a token: for tests, or another way to authenticate.
func ContextWithAuth(ctx context.Context, auth *Auth) context.Context {
	return context.WithValue(ctx, authKey{}, auth)
}

// AuthFromContext is the user of a request that came through [Middleware].
func AuthFromContext(ctx context.Context) (*Auth, bool) {
	auth, ok := ctx.Value(authKey{}).(*Auth)
	return auth, ok
}
