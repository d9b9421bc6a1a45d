package torii

// #include "shim.h"
import "C"

import (
	"context"
	"iter"
	"time"
)

// Invitation is an invitation by email to sign up.
type Invitation struct {
	ID            string `json:"id"`
	EnvironmentID string `json:"environmentId"`
	Email         string `json:"email"`
	// Status is "PENDING", "ACCEPTED", "REVOKED" or "EXPIRED"; later releases of the API may add more.
	Status     string     `json:"status"`
	ExpiresAt  time.Time  `json:"expiresAt"`
	CreatedAt  time.Time  `json:"createdAt"`
	AcceptedAt *time.Time `json:"acceptedAt"`
	RevokedAt  *time.Time `json:"revokedAt"`
}

// InvitationDetail is an invitation with its metadata.
type InvitationDetail struct {
	Invitation
	PublicMetadata  Metadata `json:"publicMetadata"`
	PrivateMetadata Metadata `json:"privateMetadata"`
}

// InvitationCreate is a new invitation. Zero fields are not sent; nil metadata is empty.
type InvitationCreate struct {
	Email           string   `json:"email"`
	ExpiresInDays   int      `json:"expiresInDays,omitempty"`
	RedirectURL     string   `json:"redirectUrl,omitempty"`
	PublicMetadata  Metadata `json:"publicMetadata"`
	PrivateMetadata Metadata `json:"privateMetadata"`
	// Extra holds fields this package does not know.
	Extra map[string]any `json:"-"`
}

// InvitationQuery selects invitations. A nil or zero field does not filter.
type InvitationQuery struct {
	Statuses []string
	// Search is a text to search for.
	Search string
	// Limit is the size of a page: 1 to 100, or 0 for the API's default.
	Limit int
	// Cursor is NextCursor of the page before, with the same filters.
	Cursor string
}

// Invitations are the invitations of the environment.
type Invitations struct{ client *Client }

// Create creates an invitation and sends its email. Never retried once sent: after [ErrTransport] or
// [ErrTimeout] the email may be on its way.
func (i *Invitations) Create(ctx context.Context, invitation InvitationCreate) (*Invitation, error) {
	for _, bag := range []*Metadata{&invitation.PublicMetadata, &invitation.PrivateMetadata} {
		if *bag == nil {
			*bag = Metadata{}
		}
	}
	body, err := encode(invitation, invitation.Extra)
	if err != nil {
		return nil, err
	}
	b, bn := text(body)
	return fetch[Invitation](ctx, i.client, func(out **C.torii_json_t, e **C.torii_error_t) C.torii_status_t {
		return C.torii_client_invitations_create_json(i.client.client, b, bn, out, e)
	})
}

// List returns a page of invitations.
func (i *Invitations) List(ctx context.Context, query InvitationQuery) (*Page[Invitation], error) {
	var statuses string
	if query.Statuses != nil {
		var err error
		if statuses, err = marshal("status", query.Statuses); err != nil {
			return nil, err
		}
	}
	c, cn := text(query.Cursor)
	p, n := text(statuses)
	s, sn := text(query.Search)
	return fetch[Page[Invitation]](ctx, i.client, func(out **C.torii_json_t, e **C.torii_error_t) C.torii_status_t {
		return C.torii_client_invitations_list_json(i.client.client, limit(query.Limit), c, cn, p, n, s, sn, out, e)
	})
}

// All iterates over the invitations of every page.
func (i *Invitations) All(ctx context.Context, query InvitationQuery) iter.Seq2[*Invitation, error] {
	return all(query.Cursor, func(cursor string) (*Page[Invitation], error) {
		query.Cursor = cursor
		return i.List(ctx, query)
	})
}

// Get returns an invitation.
func (i *Invitations) Get(ctx context.Context, invitationID string) (*InvitationDetail, error) {
	p, n := text(invitationID)
	return fetch[InvitationDetail](ctx, i.client, func(out **C.torii_json_t, e **C.torii_error_t) C.torii_status_t {
		return C.torii_client_invitations_get_json(i.client.client, p, n, out, e)
	})
}

// Resend sends an invitation again, with a new link. Never retried once sent.
func (i *Invitations) Resend(ctx context.Context, invitationID string) (*Invitation, error) {
	p, n := text(invitationID)
	return fetch[Invitation](ctx, i.client, func(out **C.torii_json_t, e **C.torii_error_t) C.torii_status_t {
		return C.torii_client_invitations_resend_json(i.client.client, p, n, out, e)
	})
}

// Revoke revokes an invitation.
func (i *Invitations) Revoke(ctx context.Context, invitationID string) error {
	p, n := text(invitationID)
	return i.client.do(ctx, func(e **C.torii_error_t) C.torii_status_t {
		return C.torii_client_invitations_revoke(i.client.client, p, n, e)
	})
}

// UpdateMetadata merges metadata into that of a pending invitation. At least one map is required.
func (i *Invitations) UpdateMetadata(ctx context.Context, invitationID string, update MetadataUpdate) (*InvitationDetail, error) {
	body, err := encode(update, nil)
	if err != nil {
		return nil, err
	}
	p, n := text(invitationID)
	b, bn := text(body)
	return fetch[InvitationDetail](ctx, i.client, func(out **C.torii_json_t, e **C.torii_error_t) C.torii_status_t {
		return C.torii_client_invitations_update_metadata_json(i.client.client, p, n, b, bn, out, e)
	})
}
