package torii

// #include "shim.h"
import "C"

import "context"

// ImpersonationCreate says who wants to act as a user, and why. What is zero is left out.
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

// ImpersonationToken lets somebody sign in as a user, once.
type ImpersonationToken struct {
	Token            string `json:"token"`
	ExpiresInSeconds int    `json:"expiresInSeconds"`
	// URL does it in a browser; nil when there is nowhere to land.
	URL *string `json:"url"`
}

// Impersonation lets support see what a user sees.
type Impersonation struct{ client *Client }

// CreateToken makes a token to sign in as a user. It is never repeated, since it counts towards a
// quota.
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
