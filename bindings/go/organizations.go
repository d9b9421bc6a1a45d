package torii

// #include "shim.h"
import "C"

import (
	"context"
	"iter"
	"time"
)

// Organization is an organization of the environment.
type Organization struct {
	ID              string    `json:"id"`
	Name            string    `json:"name"`
	Slug            *string   `json:"slug"`
	RoleSetID       *string   `json:"roleSetId"`
	PublicMetadata  Metadata  `json:"publicMetadata"`
	PrivateMetadata Metadata  `json:"privateMetadata"`
	CreatedAt       time.Time `json:"createdAt"`
}

// OrganizationMember is a user as a member of an organization. The metadata are those of the
// membership.
type OrganizationMember struct {
	OrganizationID string `json:"organizationId"`
	UserID         string `json:"userId"`
	// Role is a key, such as "org:administrator".
	Role            string    `json:"role"`
	RoleName        *string   `json:"roleName"`
	PublicMetadata  Metadata  `json:"publicMetadata"`
	PrivateMetadata Metadata  `json:"privateMetadata"`
	JoinedAt        time.Time `json:"joinedAt"`
}

// OrganizationQuery selects organizations.
type OrganizationQuery struct {
	// Name is a part of the name; "" matches all.
	Name string
	// Limit is the size of a page: 1 to 100, or 0 for the API's default.
	Limit int
	// Cursor is NextCursor of the page before, with the same filter.
	Cursor string
}

// Organizations are the organizations of the environment.
type Organizations struct{ client *Client }

// List returns a page of organizations.
func (o *Organizations) List(ctx context.Context, query OrganizationQuery) (*Page[Organization], error) {
	c, cn := text(query.Cursor)
	p, n := text(query.Name)
	return fetch[Page[Organization]](ctx, o.client, func(out **C.torii_json_t, e **C.torii_error_t) C.torii_status_t {
		return C.torii_client_organizations_list_json(o.client.client, limit(query.Limit), c, cn, p, n, out, e)
	})
}

// All iterates over the organizations of every page.
func (o *Organizations) All(ctx context.Context, query OrganizationQuery) iter.Seq2[*Organization, error] {
	return all(query.Cursor, func(cursor string) (*Page[Organization], error) {
		query.Cursor = cursor
		return o.List(ctx, query)
	})
}

// Get returns an organization.
func (o *Organizations) Get(ctx context.Context, organizationID string) (*Organization, error) {
	p, n := text(organizationID)
	return fetch[Organization](ctx, o.client, func(out **C.torii_json_t, e **C.torii_error_t) C.torii_status_t {
		return C.torii_client_organizations_get_json(o.client.client, p, n, out, e)
	})
}

// ListMembers returns a page of the members of an organization.
func (o *Organizations) ListMembers(ctx context.Context, organizationID string, query PageQuery) (*Page[OrganizationMember], error) {
	p, n := text(organizationID)
	c, cn := text(query.Cursor)
	return fetch[Page[OrganizationMember]](ctx, o.client, func(out **C.torii_json_t, e **C.torii_error_t) C.torii_status_t {
		return C.torii_client_organizations_list_members_json(o.client.client, p, n, limit(query.Limit), c, cn, out, e)
	})
}

// AllMembers iterates over the members of every page.
func (o *Organizations) AllMembers(ctx context.Context, organizationID string, query PageQuery) iter.Seq2[*OrganizationMember, error] {
	return all(query.Cursor, func(cursor string) (*Page[OrganizationMember], error) {
		query.Cursor = cursor
		return o.ListMembers(ctx, organizationID, query)
	})
}

// UpdateMetadata merges metadata into an organization's. At least one map is required.
func (o *Organizations) UpdateMetadata(ctx context.Context, organizationID string, update MetadataUpdate) (*Organization, error) {
	body, err := encode(update, nil)
	if err != nil {
		return nil, err
	}
	p, n := text(organizationID)
	b, bn := text(body)
	return fetch[Organization](ctx, o.client, func(out **C.torii_json_t, e **C.torii_error_t) C.torii_status_t {
		return C.torii_client_organizations_update_metadata_json(o.client.client, p, n, b, bn, out, e)
	})
}

// UpdateMemberMetadata merges metadata into a membership's. At least one map is required.
func (o *Organizations) UpdateMemberMetadata(ctx context.Context, organizationID, userID string, update MetadataUpdate) (*OrganizationMember, error) {
	body, err := encode(update, nil)
	if err != nil {
		return nil, err
	}
	p, n := text(organizationID)
	u, un := text(userID)
	b, bn := text(body)
	return fetch[OrganizationMember](ctx, o.client, func(out **C.torii_json_t, e **C.torii_error_t) C.torii_status_t {
		return C.torii_client_organizations_update_member_metadata_json(o.client.client, p, n, u, un, b, bn, out, e)
	})
}
