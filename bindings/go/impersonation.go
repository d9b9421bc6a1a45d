package torii

// #include "shim.h"
import "C"

import "context"

// ImpersonationCreate is the party that acts as a user, and the reason. Zero fields are not sent.
type ImpersonationCreate struct {
	// ActorUserID is a user of the same environment.
	ActorUserID string `json:"actorUserId"`
	// Reason is kept in the audit log.
	Reason           string `json:"reason"`
	RedirectURL      string `json:"redirectUrl,omitempty"`
	ExpiresInSeconds int    `json:"expiresInSeconds,omitempty"`
	// Extra holds fields this package does not know.
	Extra map[string]any `json:"-"`
}

// ImpersonationToken is a single-use token to sign in as a user.
type ImpersonationToken struct {
	Token            string `json:"token"`
	ExpiresInSeconds int    `json:"expiresInSeconds"`
	// URL redeems the token in a browser; nil without a redirect URL.
	URL *string `json:"url"`
}

// Impersonation is sign-in as a user, for support.
type Impersonation struct{ client *Client }

// CreateToken creates a token to sign in as a user. Never retried once sent, since each call counts
// toward a quota.
func (i *Impersonation) CreateToken(ctx context.Context, userID string, impersonation ImpersonationCreate) (*ImpersonationToken, error) {
	body, err := encode(impersonation, impersonation.Extra)
	if err != nil {
		return nil, err
	}
	p, n := text(userID)
	b, bn := text(body)
	return fetch[ImpersonationToken](ctx, i.client, func(out **C.torii_json_t, e **C.torii_error_t) C.torii_status_t {
		return C.torii_client_impersonation_create_token_json(i.client.client, p, n, b, bn, out, e)
	})
}
