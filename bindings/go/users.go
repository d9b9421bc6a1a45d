package torii

// #include "shim.h"
import "C"

import (
	"context"
	"iter"
	"time"
)

// Metadata is your own JSON object.
type Metadata = map[string]any

// User is a user of the environment.
type User struct {
	ID            string  `json:"id"`
	EnvironmentID string  `json:"environmentId"`
	Name          *string `json:"name"`
	FirstName     *string `json:"firstName"`
	LastName      *string `json:"lastName"`
	Locale        *string `json:"locale"`
	// Status is "active", "banned" or "deleted"; later releases of the API may add more.
	Status    string    `json:"status"`
	CreatedAt time.Time `json:"createdAt"`
	UpdatedAt time.Time `json:"updatedAt"`
	Email     *string   `json:"email"`
	// EmailVerifiedAt is nil while the email address is unverified.
	EmailVerifiedAt *time.Time `json:"emailVerifiedAt"`
	DeletedAt       *time.Time `json:"deletedAt"`
	// Clients can read PublicMetadata, and read and write UnsafeMetadata. PrivateMetadata is for
	// servers only.
	PublicMetadata  Metadata `json:"publicMetadata"`
	PrivateMetadata Metadata `json:"privateMetadata"`
	UnsafeMetadata  Metadata `json:"unsafeMetadata"`
}

// UserCreate is a new user. Empty fields are not sent.
type UserCreate struct {
	Email           string   `json:"email,omitempty"`
	Password        string   `json:"password,omitempty"`
	FirstName       string   `json:"firstName,omitempty"`
	LastName        string   `json:"lastName,omitempty"`
	PublicMetadata  Metadata `json:"publicMetadata,omitzero"`
	PrivateMetadata Metadata `json:"privateMetadata,omitzero"`
	UnsafeMetadata  Metadata `json:"unsafeMetadata,omitzero"`
	// Extra holds fields this package does not know.
	Extra map[string]any `json:"-"`
}

// UserUpdate updates a user: an absent field is left alone, [Clear] clears it, [Set] sets it.
type UserUpdate struct {
	FirstName Field[string] `json:"firstName,omitzero"`
	LastName  Field[string] `json:"lastName,omitzero"`
	Locale    Field[string] `json:"locale,omitzero"`
	// UnsafeMetadata is merged into the user's: a nil value removes its key. A nil map leaves it alone.
	UnsafeMetadata Metadata `json:"unsafeMetadata,omitzero"`
	// Extra holds fields this package does not know; a nil value clears one.
	Extra map[string]any `json:"-"`
}

// MetadataUpdate is merged into the metadata of a user, organization, membership or invitation: a nil
// value removes its key, a nil map leaves the metadata alone.
type MetadataUpdate struct {
	Public  Metadata `json:"publicMetadata,omitzero"`
	Private Metadata `json:"privateMetadata,omitzero"`
	// Unsafe is for users only.
	Unsafe Metadata `json:"unsafeMetadata,omitzero"`
}

// UserQuery selects users. All filters must match; a nil or zero field does not filter.
type UserQuery struct {
	// Limit is the size of a page: 1 to 100, or 0 for the API's default.
	Limit int `json:"-"`
	// Cursor is NextCursor of the page before, with the same filters.
	Cursor string `json:"-"`

	// Name is a part of the name; Clear finds users without one.
	Name Field[string] `json:"name,omitzero"`
	// Email is a part of the email address.
	Email string `json:"email,omitempty"`
	// EmailAddresses are whole. An empty slice of these or of UserIDs matches no user.
	EmailAddresses []string  `json:"emailAddresses,omitzero"`
	UserIDs        []string  `json:"userIds,omitzero"`
	Statuses       []string  `json:"statuses,omitzero"`
	CreatedAfter   time.Time `json:"createdAfter,omitzero"`
	CreatedBefore  time.Time `json:"createdBefore,omitzero"`
	OrganizationID string    `json:"organizationId,omitempty"`
	// Extra holds filters this package does not know.
	Extra map[string]any `json:"-"`
}

// PageQuery selects a page of a list.
type PageQuery struct {
	// Limit is the size of a page: 1 to 100, or 0 for the API's default.
	Limit int
	// Cursor is NextCursor of the page before.
	Cursor string
}

// UserOrganization is an organization as one of its members sees it.
type UserOrganization struct {
	OrganizationID string  `json:"organizationId"`
	Name           string  `json:"name"`
	Slug           *string `json:"slug"`
	// Role is a key, such as "org:administrator".
	Role     string  `json:"role"`
	RoleName *string `json:"roleName"`
	// The metadata are those of the membership.
	PublicMetadata  Metadata  `json:"publicMetadata"`
	PrivateMetadata Metadata  `json:"privateMetadata"`
	JoinedAt        time.Time `json:"joinedAt"`
}

// Users are the users of the environment.
type Users struct{ client *Client }

// List returns a page of users.
func (u *Users) List(ctx context.Context, query UserQuery) (*Page[User], error) {
	filter, err := encode(query, query.Extra)
	if err != nil {
		return nil, err
	}
	if filter == "{}" {
		filter = ""
	}
	c, cn := text(query.Cursor)
	f, fn := text(filter)
	return fetch[Page[User]](ctx, u.client, func(out **C.torii_json_t, e **C.torii_error_t) C.torii_status_t {
		return C.torii_client_users_list_json(u.client.client, limit(query.Limit), c, cn, f, fn, out, e)
	})
}

// All iterates over the users of every page.
func (u *Users) All(ctx context.Context, query UserQuery) iter.Seq2[*User, error] {
	return all(query.Cursor, func(cursor string) (*Page[User], error) {
		query.Cursor = cursor
		return u.List(ctx, query)
	})
}

// Get returns a user.
func (u *Users) Get(ctx context.Context, userID string) (*User, error) {
	p, n := text(userID)
	return fetch[User](ctx, u.client, func(out **C.torii_json_t, e **C.torii_error_t) C.torii_status_t {
		return C.torii_client_users_get_json(u.client.client, p, n, out, e)
	})
}

// Create creates a user. Never retried once sent: after [ErrTransport] or [ErrTimeout] the user may
// exist.
func (u *Users) Create(ctx context.Context, user UserCreate) (*User, error) {
	body, err := encode(user, user.Extra)
	if err != nil {
		return nil, err
	}
	b, bn := text(body)
	return fetch[User](ctx, u.client, func(out **C.torii_json_t, e **C.torii_error_t) C.torii_status_t {
		return C.torii_client_users_create_json(u.client.client, b, bn, out, e)
	})
}

// Update updates a user and returns the updated one.
func (u *Users) Update(ctx context.Context, userID string, update UserUpdate) (*User, error) {
	body, err := encode(update, update.Extra)
	if err != nil {
		return nil, err
	}
	p, n := text(userID)
	b, bn := text(body)
	return fetch[User](ctx, u.client, func(out **C.torii_json_t, e **C.torii_error_t) C.torii_status_t {
		return C.torii_client_users_update_json(u.client.client, p, n, b, bn, out, e)
	})
}

// UpdateMetadata merges metadata into a user's.
func (u *Users) UpdateMetadata(ctx context.Context, userID string, update MetadataUpdate) (*User, error) {
	body, err := encode(update, nil)
	if err != nil {
		return nil, err
	}
	p, n := text(userID)
	b, bn := text(body)
	return fetch[User](ctx, u.client, func(out **C.torii_json_t, e **C.torii_error_t) C.torii_status_t {
		return C.torii_client_users_update_metadata_json(u.client.client, p, n, b, bn, out, e)
	})
}

// Delete deletes a user. The API answers 403 if there is no such user.
func (u *Users) Delete(ctx context.Context, userID string) error {
	p, n := text(userID)
	return u.client.do(ctx, func(e **C.torii_error_t) C.torii_status_t {
		return C.torii_client_users_delete(u.client.client, p, n, e)
	})
}

// Ban bans a user and ends all sessions. A token stays valid until exp.
func (u *Users) Ban(ctx context.Context, userID string) (*User, error) {
	p, n := text(userID)
	return fetch[User](ctx, u.client, func(out **C.torii_json_t, e **C.torii_error_t) C.torii_status_t {
		return C.torii_client_users_ban_json(u.client.client, p, n, out, e)
	})
}

// Unban lifts a ban.
func (u *Users) Unban(ctx context.Context, userID string) (*User, error) {
	p, n := text(userID)
	return fetch[User](ctx, u.client, func(out **C.torii_json_t, e **C.torii_error_t) C.torii_status_t {
		return C.torii_client_users_unban_json(u.client.client, p, n, out, e)
	})
}

// ListOrganizations returns a page of a user's organizations.
func (u *Users) ListOrganizations(ctx context.Context, userID string, query PageQuery) (*Page[UserOrganization], error) {
	p, n := text(userID)
	c, cn := text(query.Cursor)
	return fetch[Page[UserOrganization]](ctx, u.client, func(out **C.torii_json_t, e **C.torii_error_t) C.torii_status_t {
		return C.torii_client_users_list_organizations_json(u.client.client, p, n, limit(query.Limit), c, cn, out, e)
	})
}

// AllOrganizations iterates over the organizations of every page.
func (u *Users) AllOrganizations(ctx context.Context, userID string, query PageQuery) iter.Seq2[*UserOrganization, error] {
	return all(query.Cursor, func(cursor string) (*Page[UserOrganization], error) {
		query.Cursor = cursor
		return u.ListOrganizations(ctx, userID, query)
	})
}
