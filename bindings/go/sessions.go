package torii

// #include "shim.h"
import "C"

import (
	"context"
	"time"
)

// Session is an active session of a user.
type Session struct {
	ID            string  `json:"id"`
	UserID        string  `json:"userId"`
	EnvironmentID string  `json:"environmentId"`
	UserAgent     *string `json:"userAgent"`
	IPAddress     *string `json:"ipAddress"`

	CreatedAt  time.Time `json:"createdAt"`
	ExpiresAt  time.Time `json:"expiresAt"`
	LastUsedAt time.Time `json:"lastUsedAt"`
	// ActiveOrganizationID becomes the claim o of the session's next token.
	ActiveOrganizationID *string `json:"activeOrganizationId"`
	// ImpersonatedBy is the party that acts as the user, if any.
	ImpersonatedBy *string `json:"impersonatedBy"`
}

// Sessions are the sessions of users.
type Sessions struct{ client *Client }

// ListForUser returns all active sessions of a user, the one used last first.
func (s *Sessions) ListForUser(ctx context.Context, userID string) ([]Session, error) {
	p, n := text(userID)
	sessions, err := fetch[[]Session](ctx, s.client, func(out **C.torii_json_t, e **C.torii_error_t) C.torii_status_t {
		return C.torii_client_sessions_list_for_user_json(s.client.client, p, n, out, e)
	})
	if err != nil {
		return nil, err
	}
	return *sessions, nil
}

// RevokeAllForUser ends all sessions of a user.
func (s *Sessions) RevokeAllForUser(ctx context.Context, userID string) error {
	p, n := text(userID)
	return s.client.do(ctx, func(e **C.torii_error_t) C.torii_status_t {
		return C.torii_client_sessions_revoke_all_for_user(s.client.client, p, n, e)
	})
}

// Revoke ends a session of a user. Succeeds if it has already ended.
func (s *Sessions) Revoke(ctx context.Context, userID, sessionID string) error {
	p, n := text(userID)
	i, in := text(sessionID)
	return s.client.do(ctx, func(e **C.torii_error_t) C.torii_status_t {
		return C.torii_client_sessions_revoke(s.client.client, p, n, i, in, e)
	})
}
