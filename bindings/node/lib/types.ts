/** Requests and answers of the backend API. Answers keep members that are newer than this release. */

/** JSON metadata. In an update, null removes a key, and an absent key stays. */
export type ToriiMetadata = { [key: string]: unknown };

/** A string with known values; later servers may add some. */
type Open<T extends string> = T | (string & {});

/** A user. */
export interface ToriiUser {
  id: string;
  environmentId: string;
  /** The full name. */
  name?: string | null;
  firstName?: string | null;
  lastName?: string | null;
  locale?: Open<"en" | "da"> | null;
  status: Open<"active" | "banned" | "deleted">;
  createdAt: Date;
  updatedAt: Date;
  /** The primary email address. */
  email?: string | null;
  emailVerifiedAt?: Date | null;
  deletedAt?: Date | null;
  publicMetadata: ToriiMetadata;
  privateMetadata: ToriiMetadata;
  unsafeMetadata: ToriiMetadata;
}

/** A new user. Every field is optional. */
export interface ToriiCreateUserInput {
  email?: string | null;
  password?: string | null;
  firstName?: string | null;
  lastName?: string | null;
  publicMetadata?: ToriiMetadata;
  privateMetadata?: ToriiMetadata;
  unsafeMetadata?: ToriiMetadata;
  /** Of older servers, as are the next three. */
  name?: string | null;
  phone?: string | null;
  address?: string | null;
  dateOfBirth?: string | null;
}

/** Changes to a user: undefined leaves a field as it is, null clears it, a value sets it. */
export interface ToriiUpdateUserInput {
  firstName?: string | null;
  lastName?: string | null;
  locale?: Open<"en" | "da"> | null;
  unsafeMetadata?: ToriiMetadata;
  /** Of older servers, as are the next three. */
  name?: string | null;
  phone?: string | null;
  address?: string | null;
  dateOfBirth?: string | null;
}

/** Changes to a user's metadata; absent metadata stays as it is. */
export interface ToriiUserMetadataInput {
  publicMetadata?: ToriiMetadata;
  privateMetadata?: ToriiMetadata;
  unsafeMetadata?: ToriiMetadata;
}

/** Changes to the metadata of an organization, a membership or an invitation. */
export interface ToriiMetadataInput {
  publicMetadata?: ToriiMetadata;
  privateMetadata?: ToriiMetadata;
}

/** Filters of users, which must all match. `name: null` finds users without a name. */
export interface ToriiUserSearchFilter {
  name?: string | null;
  email?: string | null;
  userIds?: string[];
  emailAddresses?: string[];
  statuses?: Open<"active" | "banned" | "deleted">[];
  createdAfter?: Date | string | null;
  createdBefore?: Date | string | null;
  organizationId?: string | null;
}

/** A session of a user. */
export interface ToriiSession {
  id: string;
  userId: string;
  environmentId: string;
  userAgent?: string | null;
  ipAddress?: string | null;
  createdAt: Date;
  expiresAt: Date;
  lastUsedAt: Date;
  activeOrganizationId?: string | null;
  impersonatedBy?: string | null;
}

/** An organization. */
export interface ToriiOrganization {
  id: string;
  name: string;
  slug?: string | null;
  roleSetId?: string | null;
  publicMetadata: ToriiMetadata;
  privateMetadata: ToriiMetadata;
  createdAt: Date;
}

/** A member of an organization, with the metadata of the membership. */
export interface ToriiOrganizationMember {
  organizationId: string;
  userId: string;
  role: string;
  roleName?: string | null;
  publicMetadata: ToriiMetadata;
  privateMetadata: ToriiMetadata;
  joinedAt: Date;
}

/** A user's membership in an organization, with the metadata of the membership. */
export interface ToriiUserOrganization {
  organizationId: string;
  name: string;
  slug?: string | null;
  role: string;
  roleName?: string | null;
  publicMetadata: ToriiMetadata;
  privateMetadata: ToriiMetadata;
  joinedAt: Date;
}

/** An invitation. Only `get` and `updateMetadata` return its metadata. */
export interface ToriiInvitation {
  id: string;
  environmentId: string;
  email: string;
  status: Open<"PENDING" | "ACCEPTED" | "REVOKED" | "EXPIRED">;
  expiresAt: Date;
  createdAt: Date;
  acceptedAt?: Date | null;
  revokedAt?: Date | null;
}

/** An invitation with its metadata. */
export interface ToriiInvitationDetail extends ToriiInvitation {
  publicMetadata: ToriiMetadata;
  privateMetadata: ToriiMetadata;
}

/** A new invitation. */
export interface ToriiCreateInvitationInput {
  email: string;
  expiresInDays?: number | null;
  redirectUrl?: string | null;
  publicMetadata?: ToriiMetadata;
  privateMetadata?: ToriiMetadata;
}

/** An impersonation. */
export interface ToriiImpersonationInput {
  /** The user on whose behalf the impersonation happens. */
  actorUserId: string;
  /** For the audit log. */
  reason: string;
  redirectUrl?: string | null;
  expiresInSeconds?: number | null;
}

/** A single-use token to sign in as a user. */
export interface ToriiImpersonationToken {
  token: string;
  expiresInSeconds: number;
  url?: string | null;
}

/** The origins from which browsers may call torii. */
export interface ToriiAllowedOrigins {
  origins: string[];
}

/** The body of an error of the API (RFC 9457): {@link ToriiApiError.body}. */
export interface ToriiProblemDetail {
  type?: string;
  title?: string;
  status?: number;
  detail?: string;
  instance?: string;
  properties?: { [key: string]: unknown };
}

/** A page of a list. Iterating over it (`for await`) yields its items and those of all following pages. */
export interface ToriiPage<T> extends AsyncIterable<T> {
  items: T[];
  nextCursor?: string | null;
  hasMore: boolean;
  /** Fetches the next page; null after the last. */
  nextPage(): Promise<ToriiPage<T> | null>;
}

/** The promise of a page; `for await` iterates over the items without awaiting it first. */
export type ToriiPagePromise<T> = Promise<ToriiPage<T>> & AsyncIterable<T>;

/** A page of users. */
export type ToriiCursorPageUser = ToriiPage<ToriiUser>;
