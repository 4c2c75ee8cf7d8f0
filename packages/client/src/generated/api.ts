/**
 * What the API takes and answers. Written by `npm run generate`.
 *
 * @module
 */

/** The stable code of each refusal and fault. */
export type ApiErrorCode =
  | 'ALREADY_ENROLLED'
  | 'ALREADY_MEMBER'
  | 'CANNOT_IMPERSONATE'
  | 'CONFLICT'
  | 'CSRF_REFUSED'
  | 'EMAIL_TAKEN'
  | 'FORBIDDEN'
  | 'INTERNAL'
  | 'INVALID_CREDENTIALS'
  | 'INVALID_DPOP_PROOF'
  | 'INVALID_OTP'
  | 'INVALID_RANGE'
  | 'INVALID_REQUEST'
  | 'INVALID_TOKEN'
  | 'IP_BLOCKED'
  | 'IP_NOT_ALLOWED'
  | 'LAST_OWNER'
  | 'LINK_INVALID'
  | 'MISSING_TOKEN'
  | 'NOT_FOUND'
  | 'NOT_WHILE_IMPERSONATING'
  | 'NO_FACTOR'
  | 'PASSWORD_REJECTED'
  | 'PAYLOAD_TOO_LARGE'
  | 'RATE_LIMITED'
  | 'REFRESH_TOKEN_EXPIRED'
  | 'REFRESH_TOKEN_INVALID'
  | 'REFRESH_TOKEN_REUSED'
  | 'REFRESH_TOKEN_REVOKED'
  | 'RETRY'
  | 'SESSION_BLOCKED'
  | 'SESSION_EXPIRED'
  | 'SESSION_INVALIDATED'
  | 'SESSION_LIMIT'
  | 'SESSION_REVOKED'
  | 'STEP_UP_REQUIRED'
  | 'TENANT_REQUIRED'
  | 'TOKEN_EXPIRED'
  | 'TOTP_NOT_ENABLED'
  | 'UNAVAILABLE'
  | 'UNSUPPORTED_MEDIA_TYPE'
  | 'WOULD_LOCK_OUT'
  | 'WRONG_DELIVERY'

/** What may accompany a refusal. */
export type ProblemFacts = {
  /** The field that was wrong; inner fields are separated by dots. */
  readonly field?: string

  /** Why, in one stable word. */
  readonly reason?: string

  /** Seconds until another try can pass; also in the Retry-After header. */
  readonly retryAfter?: number

  /** The risk that was seen. */
  readonly score?: number

  /** The signals behind the score. */
  readonly reasons?: readonly string[]

  /** The tenants to choose from. */
  readonly tenants?: readonly { readonly id: string; readonly slug?: string | null; readonly name: string }[]

  /** What the step-up is for. */
  readonly purpose?: string

  /** The factors that this user can use. */
  readonly factors?: readonly string[]

  /** For the step-up endpoints of this one session or sign-in, as Bearer. */
  readonly stepUpToken?: string
}

/** `SignedIn` of the API. */
export type SignedIn = {
  readonly user: User
  readonly tenant: Tenant
  readonly staff: Staff
  readonly session: Session
  readonly accessToken: string

  /** Seconds. */
  readonly expiresIn: number

  /** Left out where it is delivered as a cookie. */
  readonly refreshToken?: string
}

/** `User` of the API. */
export type User = {
  readonly id: string

  /** Null only for people whom a host named without one. */
  readonly email: string | null
  readonly name: string
  readonly emailVerified: boolean
}

/** `Tenant` of the API. */
export type Tenant = { readonly id: string; readonly slug: string | null; readonly name: string }

/** `Staff` of the API. */
export type Staff = {
  readonly id: string
  readonly role: 'owner' | 'admin' | 'auditor' | 'member'
  readonly permissions: readonly string[]
}

/** `Session` of the API. */
export type Session = {
  readonly id: string
  readonly kind: 'login' | 'impersonation'
  readonly createdAt: string
  readonly lastSeenAt: string
  readonly expiresAt: string
  readonly ipAddress: string | null

  /** ISO 3166-1 alpha-2, where the place is known. */
  readonly country: string | null
  readonly city: string | null
  readonly userAgent: string | null
  readonly device: { readonly browser: string | null; readonly os: string | null; readonly type: string | null }

  /** Whether this request was made with it. */
  readonly isCurrent: boolean
  readonly revokedAt: string | null
  readonly revokeReason: string | null

  /** Who is acting, in a session of kind impersonation. */
  readonly impersonator?: { readonly id: string; readonly name: string }
}

/** `PasskeyAssertion` of the API. */
export type PasskeyAssertion = {
  readonly id: string
  readonly rawId: string
  readonly type: 'public-key'
  readonly authenticatorAttachment?: ('platform' | 'cross-platform') | null
  readonly clientExtensionResults: Readonly<
    Record<string, (boolean | string) | Readonly<Record<string, boolean | string>>>
  >
  readonly response: {
    readonly clientDataJSON: string
    readonly authenticatorData: string
    readonly signature: string
    readonly userHandle?: string | null
  }
}

/** `PasskeyRequestOptions` of the API. */
export type PasskeyRequestOptions = {
  readonly rpId?: string
  readonly challenge: string
  readonly allowCredentials?: readonly {
    readonly id: string
    readonly type: 'public-key'
    readonly transports?: readonly string[]
  }[]
  readonly userVerification?: string
  readonly [field: string]: unknown
}

/** `PasskeyCreationOptions` of the API. */
export type PasskeyCreationOptions = {
  readonly rp: { readonly id?: string; readonly name: string }
  readonly user: { readonly id: string; readonly name: string; readonly displayName: string }
  readonly challenge: string
  readonly excludeCredentials?: readonly {
    readonly id: string
    readonly type: 'public-key'
    readonly transports?: readonly string[]
  }[]
  readonly [field: string]: unknown
}

/** `PasskeyRegistration` of the API. */
export type PasskeyRegistration = {
  readonly id: string
  readonly rawId: string
  readonly type: 'public-key'
  readonly authenticatorAttachment?: ('platform' | 'cross-platform') | null
  readonly clientExtensionResults: Readonly<
    Record<string, (boolean | string) | Readonly<Record<string, boolean | string>>>
  >
  readonly response: {
    readonly clientDataJSON: string
    readonly attestationObject: string
    readonly authenticatorData?: string
    readonly publicKey?: string
    readonly publicKeyAlgorithm?: number
    readonly transports?: readonly string[]
  }
}

/** `SecurityOverview` of the API. */
export type SecurityOverview = {
  readonly from: string
  readonly to: string

  /** Seconds: an hour, or whole hours, days or weeks, so that there are 61 steps at most. */
  readonly step: number

  /** Now, whatever the period; 100,000 at most. */
  readonly live: { readonly sessions: number; readonly users: number; readonly impersonations: number }

  /** By step. `stepUp`: held until a second factor was given; one that then was is in `success` too. */
  readonly signIns: readonly {
    readonly at: string
    readonly success: number
    readonly failed: number
    readonly stepUp: number
    readonly blocked: number
  }[]

  /** By step. `replayed`: an honest retry; `reused`: a theft. */
  readonly refreshes: readonly {
    readonly at: string
    readonly rotated: number
    readonly replayed: number
    readonly refused: number
    readonly reused: number
  }[]

  /** By step. `active`: open at its end, or now; null where sessions of that age are no longer kept. */
  readonly sessions: readonly { readonly at: string; readonly opened: number; readonly active: number | null }[]
  readonly stepUps: {
    readonly asked: number
    readonly passed: number
    readonly failed: number
    readonly series: readonly {
      readonly at: string
      readonly asked: number
      readonly passed: number
      readonly failed: number
    }[]
    readonly byFactor: readonly { readonly factor: string; readonly passed: number; readonly failed: number }[]
  }

  /** Requests that were turned away, by code, most first; those that may go on after a step-up not among them. */
  readonly refusals: readonly { readonly reason: string; readonly count: number }[]

  /** Scored requests by signal and by what was done: one that passed its step-up is in both. */
  readonly risk: readonly {
    readonly reason: string
    readonly pass: number
    readonly stepUp: number
    readonly blocked: number
  }[]

  /** Where the sessions of the period were last seen, most first, 12 at most. */
  readonly places: readonly {
    /** ISO 3166-1 alpha-2; null where the place is not known. */
    readonly country: string | null
    readonly city: string | null
    readonly sessions: number
    readonly users: number
    readonly lastSeenAt: string
  }[]

  /** What they were seen with, most first, 12 at most. */
  readonly devices: readonly {
    readonly browser: string | null
    readonly os: string | null
    readonly type: string
    readonly sessions: number
  }[]
  readonly totals: OverviewTotals

  /** The same of the period of equal length before. */
  readonly previous: OverviewTotals

  /** The newest 6 incidents, whenever they were. */
  readonly alerts: readonly Incident[]
}

/** `OverviewTotals` of the API. */
export type OverviewTotals = {
  readonly signIns: number
  readonly failed: number
  readonly blocked: number
  readonly refreshes: number

  /** Thefts of refresh tokens, contained. */
  readonly reuse: number
  readonly stepUpsAsked: number
  readonly stepUpsPassed: number
  readonly stepUpsFailed: number
  readonly refusals: number
}

/** `Incident` of the API. */
export type Incident = {
  readonly id: string
  readonly at: string

  /** reuse_detected, high_risk_activity or rapid_token_creation. */
  readonly reason: string
  readonly level: string
  readonly score: number | null

  /** The signals behind the score. */
  readonly reasons: readonly string[]

  /** Whom it happened to. */
  readonly userId: string | null

  /** As they are called now. */
  readonly userName: string | null
  readonly staffId: string | null
  readonly sessionId: string | null
  readonly ipAddress: string | null
  readonly country: string | null
  readonly city: string | null
  readonly userAgent: string | null
  readonly correlationId: string
}

/** `IncidentEvent` of the API. */
export type IncidentEvent = {
  readonly id: string
  readonly at: string
  readonly action: string
  readonly outcome: 'SUCCESS' | 'FAIL'
  readonly failureReason: string | null
  readonly userId: string | null
  readonly actorName: string | null
  readonly sessionId: string | null
  readonly resource: string | null
  readonly resourceId: string | null
  readonly metadata: unknown
  readonly ipAddress: string | null
  readonly country: string | null
  readonly city: string | null
  readonly userAgent: string | null
  readonly correlationId: string
}

/** `CaseToken` of the API. */
export type CaseToken = {
  readonly generation: number
  readonly issuedAt: string

  /** When it was exchanged for the next. */
  readonly usedAt: string | null

  /** When it came back spent, and betrayed the theft. */
  readonly reusedAt: string | null
  readonly ipAddress: string | null
  readonly country: string | null
  readonly city: string | null
  readonly userAgent: string | null
  readonly device: { readonly browser: string | null; readonly os: string | null; readonly type: string }

  /** Tells devices apart and names none; null where the client showed none. */
  readonly deviceId: string | null

  /** Retries that were answered with this very token. */
  readonly handedOutAgain: readonly {
    readonly at: string
    readonly cause: string
    readonly ipAddress: string | null
    readonly country: string | null
    readonly city: string | null
    readonly userAgent: string | null
    readonly device: { readonly browser: string | null; readonly os: string | null; readonly type: string }

    /** Tells devices apart and names none; null where the client showed none. */
    readonly deviceId: string | null
  }[]
}

/** `CaseBranch` of the API. */
export type CaseBranch = {
  /** Spent the token first; presented it when it was spent. */
  readonly id: 'went_on' | 'came_back'

  /** `owner`: it alone resembles the session as it was before. `unknown` where the evidence does not tell. Never a proof. */
  readonly kind: 'owner' | 'other' | 'unknown'
  readonly resembles: {
    /** Null where either side shows nothing to compare. */
    readonly network: boolean | null

    /** Null where either side shows nothing to compare. */
    readonly agent: boolean | null

    /** Null where either side shows nothing to compare. */
    readonly device: boolean | null
  }
  readonly firstSeenAt: string | null
  readonly lastSeenAt: string | null
  readonly ipAddress: string | null
  readonly country: string | null
  readonly city: string | null
  readonly userAgent: string | null
  readonly device: { readonly browser: string | null; readonly os: string | null; readonly type: string }

  /** Tells devices apart and names none; null where the client showed none. */
  readonly deviceId: string | null

  /** All that it was seen with, newest first. */
  readonly seen: readonly {
    readonly at: string
    readonly ipAddress: string | null
    readonly country: string | null
    readonly city: string | null
    readonly userAgent: string | null
    readonly device: { readonly browser: string | null; readonly os: string | null; readonly type: string }

    /** Tells devices apart and names none; null where the client showed none. */
    readonly deviceId: string | null
  }[]
  readonly tokens: readonly CaseToken[]
  readonly tokenCount: number

  /** What it did since they parted, oldest first. */
  readonly actions: readonly CaseAction[]
  readonly actionCount: number
}

/** `CaseAction` of the API. */
export type CaseAction = {
  readonly id: string
  readonly at: string
  readonly action: string
  readonly outcome: 'SUCCESS' | 'FAIL'
  readonly failureReason: string | null
  readonly userId: string | null
  readonly actorName: string | null
  readonly sessionId: string | null
  readonly resource: string | null
  readonly resourceId: string | null
  readonly metadata: unknown
  readonly ipAddress: string | null
  readonly country: string | null
  readonly city: string | null
  readonly userAgent: string | null
  readonly correlationId: string

  /** `generation`: made with a token that only this branch was given. The others are likenesses. */
  readonly attributedBy: ('generation' | 'address_and_agent' | 'address' | 'agent') | null
}

/** `TeamMember` of the API. */
export type TeamMember = {
  readonly id: string
  readonly role: 'owner' | 'admin' | 'auditor' | 'member'

  /** What the member may do, by role and by extra grants. */
  readonly permissions: readonly string[]
  readonly extraPermissions: readonly string[]
  readonly status: 'active' | 'disabled' | 'removed'
  readonly createdAt: string
  readonly user: User

  /** Null for one who never signed in, or did long ago. */
  readonly lastSeenAt: string | null

  /** 100 at most. */
  readonly liveSessions: number

  /** The kinds of second factor that they have. */
  readonly factors: readonly ('totp' | 'passkey')[]
}

/** `Invitation` of the API. */
export type Invitation = {
  readonly id: string
  readonly email: string
  readonly name: string
  readonly role: 'owner' | 'admin' | 'auditor' | 'member'
  readonly createdAt: string
  readonly expiresAt: string
}

/** `AuditEvent` of the API. */
export type AuditEvent = {
  readonly id: string
  readonly createdAt: string
  readonly action: string
  readonly outcome: 'SUCCESS' | 'FAIL'
  readonly failureReason: string | null

  /** The actor; under impersonation the person acted as. */
  readonly userId: string | null

  /** As it was then. */
  readonly actorName: string | null
  readonly staffId: string | null
  readonly sessionId: string | null

  /** Under impersonation, the person acting. */
  readonly realUserId: string | null

  /** As they are called now. */
  readonly realUserName: string | null
  readonly isImpersonating: boolean
  readonly resource: string | null
  readonly resourceId: string | null

  /** What changed, as it was. */
  readonly before: Readonly<Record<string, unknown>> | null

  /** What changed, as it is. */
  readonly after: Readonly<Record<string, unknown>> | null
  readonly metadata: Readonly<Record<string, unknown>> | null
  readonly ipAddress: string | null
  readonly country: string | null
  readonly city: string | null
  readonly userAgent: string | null
  readonly correlationId: string

  /** Its place in the sealed log; null while it waits, a few seconds. */
  readonly seal: { readonly seq: number; readonly recordedAt: string } | null
}

/** `ListedIpRule` of the API. */
export type ListedIpRule = {
  readonly id: string
  readonly type: 'ALLOW' | 'DENY'

  /** In the one form of each network. */
  readonly cidr: string
  readonly label: string | null
  readonly createdBy: string | null
  readonly createdAt: string
  readonly expiresAt: string | null

  /** As they are called now. */
  readonly createdByName: string | null
}

/** `IpRule` of the API. */
export type IpRule = {
  readonly id: string
  readonly type: 'ALLOW' | 'DENY'

  /** In the one form of each network. */
  readonly cidr: string
  readonly label: string | null
  readonly createdBy: string | null
  readonly createdAt: string
  readonly expiresAt: string | null
}

/** `SecuritySettings` of the API. */
export type SecuritySettings = {
  readonly session: {
    /** Seconds; null: as the service has it. */
    readonly idle: number | null

    /** Seconds; null: as the service has it. */
    readonly maxLife: number | null
  }
  readonly ipRules: {
    /** `monitor` only records what the rules would have refused. */
    readonly mode: 'enforce' | 'monitor'
  }
  readonly impersonation: {
    /** Refuses whatever changes something while somebody acts as another. */
    readonly readOnly: boolean

    /** Tells people by mail that somebody acts as them. */
    readonly notify: boolean
  }
  readonly stepUp: {
    /** Whether a code by mail is a fallback for those who have enrolled no second factor. */
    readonly emailCodes: boolean
  }

  /** What holds, with the service's own limits. */
  readonly effective: {
    readonly idle: number
    readonly maxLife: number
    readonly impersonationReadOnly: boolean
    readonly emailCodes: boolean
  }
}

/** Every operation: what it takes, in one flat object, and what it resolves to. */
export interface Operations {
  /** Sign a tenant up, with yourself as its owner.
   *
   * Where addresses are verified first, every sign-up is answered 202 and goes on by mail. Sets a device cookie. */
  readonly signUp: {
    readonly input: {
      /** One email address. Kept as typed and compared without case. */
      readonly email: string

      /** Any Unicode. A new one has 15 to 128 characters, or 8 where each sign-in asks for a second factor. */
      readonly password: string

      /** As people read it. */
      readonly name: string

      /** As people read it. */
      readonly tenantName: string

      /** A random id that the client keeps in storage. */
      readonly deviceFingerprint?: string | undefined

      /** A few plain values, as the client sees its device. */
      readonly deviceInfo?: Readonly<Record<string, string | number | boolean | null>> | undefined

      /** Where the refresh token is delivered, now and at each refresh. Defaults to the body. */
      readonly delivery?: 'body' | 'cookie' | undefined
    }
    readonly output: SignedIn | { readonly success: true }
  }

  /** Sign in with email and password.
   *
   * Wrong address, wrong password and a disabled account are answered alike. 409 `TENANT_REQUIRED` lists the tenants of a person who is in several: name one and send the same again. Each sign-in is scored: 428 asks for a second factor, 401 `SESSION_BLOCKED` is a stop. With a DPoP proof (RFC 9449) the session is bound to its key. Sets a device cookie. */
  readonly login: {
    readonly input: {
      /** One email address. Kept as typed and compared without case. */
      readonly email: string

      /** Any Unicode. A new one has 15 to 128 characters, or 8 where each sign-in asks for a second factor. */
      readonly password: string

      /** The id or the slug of the tenant. */
      readonly tenant?: string | undefined

      /** A random id that the client keeps in storage. */
      readonly deviceFingerprint?: string | undefined

      /** A few plain values, as the client sees its device. */
      readonly deviceInfo?: Readonly<Record<string, string | number | boolean | null>> | undefined

      /** Where the refresh token is delivered, now and at each refresh. Defaults to the body. */
      readonly delivery?: 'body' | 'cookie' | undefined
    }
    readonly output: SignedIn
  }

  /** Go on with a sign-in that was answered 428, by a second factor.
   *
   * The stepUpToken is that of the 428. A sign-in is completed once; wrong codes count as those of step-ups do. Codes by mail and passkey challenges are asked for at the step-up endpoints, with the stepUpToken as Bearer. */
  readonly loginStepUp: {
    readonly input: {
      readonly stepUpToken: string

      /** Defaults to passkey where an assertion is given, else to totp. */
      readonly factor?: 'totp' | 'passkey' | 'recovery_code' | 'email_code' | undefined
      readonly code?: string | undefined

      /** With the factor passkey, in place of a code. */
      readonly assertion?: PasskeyAssertion | undefined
    }
    readonly output: SignedIn
  }

  /** Who you are, where, and in which session. */
  readonly me: {
    readonly input: Readonly<Record<never, never>>
    readonly output: {
      readonly user: User
      readonly tenant: Tenant
      readonly staff: Staff
      readonly session: Session

      /** Who acts in your name, where somebody does. */
      readonly impersonation: {
        readonly realUser: { readonly id: string; readonly name: string }
        readonly startedAt: string
        readonly expiresAt: string
        readonly reason: string | null
      } | null
      readonly factors: readonly {
        readonly id: string
        readonly type: string
        readonly label: string
        readonly createdAt: string
        readonly lastUsedAt: string | null
      }[]
    }
  }

  /** The tenants that you are in.
   *
   * Sign in to another one by naming it: a session belongs to one tenant. */
  readonly listMemberships: {
    readonly input: Readonly<Record<never, never>>
    readonly output: {
      readonly memberships: readonly {
        readonly tenant: Tenant
        readonly role: 'owner' | 'admin' | 'auditor' | 'member'

        /** Whether this request speaks from there. */
        readonly isCurrent: boolean
      }[]
    }
  }

  /** See what a link invites you to, and use nothing up. */
  readonly showInvitation: {
    readonly input: { readonly token: string }
    readonly output: {
      readonly email: string

      /** As the inviter wrote it. */
      readonly name: string
      readonly role: 'owner' | 'admin' | 'auditor' | 'member'
      readonly tenant: { readonly name: string }
      readonly invitedBy: string | null
      readonly expiresAt: string

      /** Whether the address has an account: its own password is then asked for. */
      readonly hasAccount: boolean
    }
  }

  /** Join the tenant that you were invited to.
   *
   * Who has an account already gives its password; everybody else chooses one. With an account this is a sign-in like any other, which 428 may ask a second factor of: by then the link is used. Sets a device cookie. */
  readonly acceptInvitation: {
    readonly input: {
      readonly token: string

      /** As people read it. */
      readonly name: string

      /** Any Unicode. A new one has 15 to 128 characters, or 8 where each sign-in asks for a second factor. */
      readonly password: string

      /** A random id that the client keeps in storage. */
      readonly deviceFingerprint?: string | undefined

      /** A few plain values, as the client sees its device. */
      readonly deviceInfo?: Readonly<Record<string, string | number | boolean | null>> | undefined

      /** Where the refresh token is delivered, now and at each refresh. Defaults to the body. */
      readonly delivery?: 'body' | 'cookie' | undefined
    }
    readonly output: SignedIn
  }

  /** Change your password.
   *
   * Ends all of your other sessions, in every tenant. This one goes on with the access token of the answer. */
  readonly changePassword: {
    readonly input: {
      /** Any Unicode. A new one has 15 to 128 characters, or 8 where each sign-in asks for a second factor. */
      readonly currentPassword: string

      /** Any Unicode. A new one has 15 to 128 characters, or 8 where each sign-in asks for a second factor. */
      readonly newPassword: string
    }
    readonly output: {
      readonly accessToken: string

      /** Seconds. */
      readonly expiresIn: number
      readonly session: Session
    }
  }

  /** Ask for a link that sets a new password.
   *
   * Always 202: the answer does not tell whether the address is known. */
  readonly requestPasswordReset: {
    readonly input: {
      /** One email address. Kept as typed and compared without case. */
      readonly email: string
    }
    readonly output: { readonly success: true }
  }

  /** Set a new password by the link that was mailed.
   *
   * Ends all of your sessions and opens none. Second factors stay as they are. */
  readonly resetPassword: {
    readonly input: {
      readonly token: string

      /** Any Unicode. A new one has 15 to 128 characters, or 8 where each sign-in asks for a second factor. */
      readonly password: string
    }
    readonly output: { readonly success: true }
  }

  /** Ask for another email address.
   *
   * A link goes to the new address, and word of it to the old one; nothing changes before the link is followed. The answer does not tell whether the address is known. */
  readonly changeEmail: {
    readonly input: {
      /** One email address. Kept as typed and compared without case. */
      readonly email: string
    }
    readonly output: { readonly success: true }
  }

  /** Confirm your address by the link that was mailed. */
  readonly verifyEmail: {
    readonly input: { readonly token: string }
    readonly output: { readonly success: true }
  }

  /** Exchange a refresh token for its successor and a fresh access token.
   *
   * A lost response is simply asked for again: the same successor is answered. `Sallyport-Refresh` says what happened. 403, 409, 428, 429 and 5xx consume nothing: keep the token and send it again. Each refresh is scored: 428 asks for a step-up with the stepUpToken of the answer, after which the same refresh is sent again, from the same device. A session that was begun with a DPoP proof needs one by the same key each time (RFC 9449). */
  readonly refresh: {
    readonly input: {
      /** Where the session delivers it in the body; else its cookie brings it. */
      readonly refreshToken?: string | undefined

      /** A random id that the client keeps in storage. */
      readonly deviceFingerprint?: string | undefined

      /** A few plain values, as the client sees its device. */
      readonly deviceInfo?: Readonly<Record<string, string | number | boolean | null>> | undefined

      /** Of the 428, where the client shows no device: the step-up that it was passed by is then used. */
      readonly stepUpToken?: string | undefined
    }
    readonly output: {
      readonly accessToken: string

      /** Seconds. */
      readonly expiresIn: number

      /** Left out where it is delivered as a cookie. */
      readonly refreshToken?: string
      readonly session: Session
    }
  }

  /** Sign out: end the session of the credentials that are sent.
   *
   * Always 200. A credential that is no good ends nothing, and repeating it changes nothing. */
  readonly logout: {
    readonly input: { readonly refreshToken?: string | undefined }
    readonly output: { readonly ok: true }
  }

  /** List your sessions, or those of another member of the tenant, newest seen first. */
  readonly listSessions: {
    readonly input: {
      readonly userId?: string | undefined
      readonly state?: 'active' | 'ended' | 'all' | undefined

      /** The nextCursor of the page before. */
      readonly cursor?: string | undefined
      readonly limit?: number | undefined
    }
    readonly output: {
      readonly sessions: readonly Session[]
      readonly currentSessionId: string
      readonly nextCursor: string | null
    }
  }

  /** End one session. */
  readonly revokeSession: {
    readonly input: { readonly sessionId: string }
    readonly output: { readonly success: true; readonly currentRevoked: boolean }
  }

  /** End all of your sessions in this tenant but the one you speak from. */
  readonly revokeOtherSessions: {
    readonly input: Readonly<Record<never, never>>
    readonly output: { readonly success: true; readonly revoked: number }
  }

  /** Force a member of the tenant out of every session. */
  readonly forceLogout: {
    readonly input: { readonly userId: string }
    readonly output: { readonly success: true; readonly sessionsEnded: number; readonly sessionVersion: number }
  }

  /** Give a second factor for a purpose, which opens that purpose to this session for a while.
   *
   * A code is accepted once, for one purpose of one session. Wrong codes are limited for the person, whatever session they come through: 5 in 15 minutes, 20 in 24 hours; after 100 in a row the factor is disabled. A session that waits since its risk was seen sends its stepUpToken as Bearer, with the purpose session_risk. */
  readonly verifyStepUp: {
    readonly input: {
      readonly purpose: string

      /** Defaults to passkey where an assertion is given, else to totp. */
      readonly factor?: 'totp' | 'passkey' | 'recovery_code' | 'email_code' | undefined
      readonly code?: string | undefined

      /** With the factor passkey, in place of a code. */
      readonly assertion?: PasskeyAssertion | undefined
    }
    readonly output: { readonly success: true; readonly purpose: string; readonly expiresAt: string }
  }

  /** Have a code sent by mail, for those who have nothing better.
   *
   * Eight digits, good for 10 minutes and 5 tries, for one purpose of this session or sign-in; a new one voids the one before. Three mails in 15 minutes at most. */
  readonly sendEmailCode: {
    readonly input: { readonly purpose: string }
    readonly output: { readonly success: true }
  }

  /** Ask for what the browser is to sign with a passkey.
   *
   * Good for 5 minutes and one answer, for one purpose of this session or sign-in. */
  readonly passkeyOptions: {
    readonly input: { readonly purpose: string }
    readonly output: PasskeyRequestOptions
  }

  /** List your second factors. */
  readonly listFactors: {
    readonly input: Readonly<Record<never, never>>
    readonly output: {
      readonly factors: readonly {
        readonly id: string
        readonly type: 'totp' | 'passkey' | 'recovery_code' | 'email_code'
        readonly label: string
        readonly createdAt: string
        readonly verifiedAt: string
        readonly lastUsedAt: string | null

        /** Set when it was guessed at too often: it opens nothing. */
        readonly disabledAt: string | null
      }[]

      /** How many recovery codes are unused. */
      readonly recoveryCodesLeft: number

      /** What of it a step-up can be passed with now. Codes by mail are enrolled by nobody: a 428 names them where they will do. */
      readonly usable: readonly ('totp' | 'passkey' | 'recovery_code' | 'email_code')[]
    }
  }

  /** Begin to enrol an authenticator app.
   *
   * A first factor needs a sign-in of the last 10 minutes or the password; a further one needs the step-up security_settings. It counts from its confirmation on, and the next one that is begun takes its place. */
  readonly beginTotp: {
    readonly input: {
      /** Any Unicode. A new one has 15 to 128 characters, or 8 where each sign-in asks for a second factor. */
      readonly password?: string | undefined
    }
    readonly output: {
      readonly factorId: string

      /** In base32, for typing. */
      readonly secret: string
      readonly otpauthUrl: string

      /** The otpauthUrl as a QR code: an svg element. */
      readonly qrSvg: string
    }
  }

  /** Confirm an authenticator app by a code of it.
   *
   * The code is spent by this: a step-up needs the next one. Wrong codes count as those of step-ups do. */
  readonly confirmTotp: {
    readonly input: { readonly factorId: string; readonly code: string }
    readonly output: {
      /** Each good for one use. Shown now and never again. */
      readonly recoveryCodes: readonly string[]
    }
  }

  /** Begin to enrol a passkey.
   *
   * A first factor needs a sign-in of the last 10 minutes or the password; a further one needs the step-up security_settings. Good for 5 minutes and one answer. */
  readonly beginPasskey: {
    readonly input: {
      /** Any Unicode. A new one has 15 to 128 characters, or 8 where each sign-in asks for a second factor. */
      readonly password?: string | undefined
    }
    readonly output: PasskeyCreationOptions
  }

  /** Enrol the passkey that the browser made. */
  readonly enrolPasskey: {
    readonly input: {
      readonly response: PasskeyRegistration

      /** As you tell it from others. */
      readonly label?: string | undefined
    }
    readonly output: {
      readonly factorId: string

      /** New ones, where there were none. Shown now and never again. */
      readonly recoveryCodes: readonly string[]
    }
  }

  /** Remove all second factors of a member who has lost them.
   *
   * Ends their sessions, and tells them. Until they enrol again, the password alone signs them in. Not for those who are members of another tenant too. */
  readonly resetFactors: {
    readonly input: { readonly staffId: string }
    readonly output: { readonly success: true; readonly factorsRemoved: number; readonly sessionsEnded: number }
  }

  /** Remove a second factor, and end your other sessions in every tenant. */
  readonly removeFactor: {
    readonly input: { readonly id: string }
    readonly output: { readonly success: true; readonly sessionsEnded: number }
  }

  /** Replace your recovery codes. */
  readonly regenerateRecoveryCodes: {
    readonly input: Readonly<Record<never, never>>
    readonly output: {
      /** Each good for one use. Shown now and never again. */
      readonly recoveryCodes: readonly string[]
    }
  }

  /** The figures of a period: sessions, sign-ins, refreshes, risk, step-ups, places, devices.
   *
   * Half-open, 400 days at most; without one, the last 7 days. Counted by the hour from the audit log as it is sealed, what waits included, so that it takes the same time at any size of the log; what retention removed stays counted. */
  readonly securityOverview: {
    readonly input: { readonly from?: string | undefined; readonly to?: string | undefined }
    readonly output: SecurityOverview
  }

  /** List detected thefts and stops of the tenant, newest first. */
  readonly listIncidents: {
    readonly input: {
      /** The nextCursor of the page before. */
      readonly cursor?: string | undefined
      readonly limit?: number | undefined
    }
    readonly output: { readonly incidents: readonly Incident[]; readonly nextCursor: string | null }
  }

  /** The case file of an incident: what happened, what was contained, who was told, what to do next.
   *
   * Of a theft, the lineage of the stolen session taken apart into its two branches: what each was seen with, its tokens, and what it did since they parted, as far as tokens, addresses and programs tell them apart. What they do not tell is said to be undecided. */
  readonly incidentCaseFile: {
    readonly input: { readonly incidentId: string }
    readonly output: {
      readonly incident: Incident

      /** The evidence, as it was recorded. */
      readonly details: Readonly<Record<string, unknown>>

      /** Of its request, its session and the person, a day before to a day after, oldest first, 200 at most. */
      readonly events: readonly IncidentEvent[]

      /** Null for a sign-in that was stopped, and once the family was cleaned up. */
      readonly family: {
        readonly id: string
        readonly sessionId: string | null
        readonly binding: 'none' | 'cookie' | 'key'
        readonly startedAt: string
        readonly generations: number
      } | null
      readonly contained: {
        readonly at: string

        /** family, staff or user; null where there was nothing to end. */
        readonly scope: string | null
        readonly sessions: readonly string[]
        readonly families: number

        /** What the member's tokens must have since. */
        readonly sessionVersion: number | null
      }

      /** The generation that both held, and when it was spent. Null unless a token was reused. */
      readonly parted: { readonly generation: number; readonly at: string | null } | null

      /** The last generations up to the parting. */
      readonly before: readonly CaseToken[]
      readonly branches: readonly CaseBranch[]

      /** What was done since they parted and could have been of either. */
      readonly undecided: readonly CaseAction[]

      /** Whether all that was recorded since they parted was looked through. */
      readonly complete: boolean

      /** To whom mails were addressed; null where that was not recorded. */
      readonly told:
        | readonly { readonly userId: string; readonly name: string | null; readonly as: 'person' | 'admin' }[]
        | null
      readonly advice: readonly {
        readonly code:
          | 'ask_person'
          | 'review_actions'
          | 'force_logout'
          | 'reset_password'
          | 'enrol_factor'
          | 'check_device'
          | 'block_address'
          | 'bind_key'

        /** Null for what no data can tell. */
        readonly done: boolean | null
      }[]
    }
  }

  /** List the members of the tenant, and the invitations that are open. */
  readonly listTeam: {
    readonly input: Readonly<Record<never, never>>
    readonly output: { readonly members: readonly TeamMember[]; readonly invitations: readonly Invitation[] }
  }

  /** The roles with what each may do, and every permission that can be granted. */
  readonly listRoles: {
    readonly input: Readonly<Record<never, never>>
    readonly output: {
      readonly roles: readonly {
        readonly name: 'owner' | 'admin' | 'auditor' | 'member'
        readonly permissions: readonly string[]
      }[]
      readonly permissions: readonly { readonly name: string; readonly builtIn: boolean }[]
    }
  }

  /** Invite a person to the tenant.
   *
   * They get a link by mail that works once, for 7 days. An older invitation to the same address ends. */
  readonly inviteMember: {
    readonly input: {
      /** One email address. Kept as typed and compared without case. */
      readonly email: string

      /** As people read it. */
      readonly name: string
      readonly role: 'owner' | 'admin' | 'auditor' | 'member'
    }
    readonly output: { readonly invitation: Invitation }
  }

  /** Take an open invitation back: its link opens nothing any more. */
  readonly withdrawInvitation: {
    readonly input: { readonly invitationId: string }
    readonly output: { readonly success: true }
  }

  /** Send an open invitation again, for 7 more days.
   *
   * With a new link and a new id: the one before is void. */
  readonly resendInvitation: {
    readonly input: { readonly invitationId: string }
    readonly output: { readonly invitation: Invitation }
  }

  /** Change a member's role or extra permissions, disable or enable them.
   *
   * What is left out stays. Roles and permissions bite at the next request and sign nobody out; disabling ends everything that the member has open. Nobody changes their own role or grants what they do not hold, only an owner makes or unmakes an owner, and the last owner stays. */
  readonly changeMember: {
    readonly input: {
      readonly staffId: string
      readonly role?: 'owner' | 'admin' | 'auditor' | 'member' | undefined

      /** The extra permissions, all of them: those left out are taken away. */
      readonly permissions?: readonly string[] | undefined
      readonly disabled?: boolean | undefined
    }
    readonly output: {
      readonly member: {
        readonly id: string
        readonly role: 'owner' | 'admin' | 'auditor' | 'member'
        readonly permissions: readonly string[]
        readonly extraPermissions: readonly string[]
        readonly status: 'active' | 'disabled' | 'removed'
      }
    }
  }

  /** Remove a member from the tenant.
   *
   * Ends everything that they have open in it. An invitation brings them back. */
  readonly removeMember: {
    readonly input: { readonly staffId: string }
    readonly output: { readonly success: true }
  }

  /** Search the audit log of the tenant, newest first.
   *
   * A page with few events, or none, can still have a nextCursor: the search looks at a bounded number of events at a time. */
  readonly listAuditEvents: {
    readonly input: {
      readonly from?: string | undefined
      readonly to?: string | undefined

      /** One action, or several with commas. */
      readonly action?: string | undefined
      readonly userId?: string | undefined
      readonly outcome?: 'SUCCESS' | 'FAIL' | undefined
      readonly resource?: string | undefined
      readonly sessionId?: string | undefined

      /** Of one request. */
      readonly correlationId?: string | undefined

      /** Text that stands somewhere in names, reasons, ids, addresses or places. */
      readonly q?: string | undefined

      /** The nextCursor of the page before. */
      readonly cursor?: string | undefined
      readonly limit?: number | undefined
    }
    readonly output: { readonly events: readonly AuditEvent[]; readonly nextCursor: string | null }
  }

  /** One event of the audit log. */
  readonly getAuditEvent: {
    readonly input: { readonly id: string }
    readonly output: { readonly event: AuditEvent }
  }

  /** Every action that an event can have: what a filter can ask for. */
  readonly listAuditActions: {
    readonly input: Readonly<Record<never, never>>
    readonly output: { readonly actions: readonly { readonly name: string; readonly builtIn: boolean }[] }
  }

  /** The newest signed checkpoint of the tenant's audit log (C2SP tlog-checkpoint). */
  readonly getAuditCheckpoint: {
    readonly input: Readonly<Record<never, never>>
    readonly output: Response
  }

  /** The public key that signs the tenant's audit log (C2SP verifier key), for auditors to keep. */
  readonly getAuditKey: {
    readonly input: Readonly<Record<never, never>>
    readonly output: { readonly origin: string; readonly vkey: string }
  }

  /** Prove that an event is in the sealed log (RFC 9162 inclusion proof).
   *
   * An event that no checkpoint covers yet is sealed and signed first. With the event, tenantId and salt whoever asks can compute the leaf: SHA-256 over a zero byte and the canonical JSON of the stable columns, as docs/audit.md has it. */
  readonly proveAuditEvent: {
    readonly input: { readonly id: string }
    readonly output: {
      readonly leafIndex: number
      readonly treeSize: number
      readonly hashes: readonly string[]

      /** The signed note whose root the proof leads to. */
      readonly checkpoint: string
      readonly tenantId: string

      /** 16 bytes in hex, under which the personal columns are committed; null where the content was removed. */
      readonly salt: string | null
    }
  }

  /** The same proof as a file for an auditor (C2SP tlog-proof). */
  readonly downloadAuditProof: {
    readonly input: { readonly id: string }
    readonly output: Response
  }

  /** Prove that the log only grew from one size to another (RFC 9162 consistency proof). */
  readonly proveAuditConsistency: {
    readonly input: { readonly first: number; readonly second: number }
    readonly output: { readonly hashes: readonly string[] }
  }

  /** Export a dataset of the tenant: complete, or visibly failed.
   *
   * Periods are half-open and have at most 400 days; without one, the export has the 400 days up to now. Of the audit log a period is of recorded_at, of tokens of issued_at, else of created_at; staff-access is as of now. One export of a tenant runs at a time. In CSV, cells that a spreadsheet would run are defused by a leading apostrophe. */
  readonly exportDataset: {
    readonly input: {
      readonly file:
        | 'audit-logs'
        | 'audit-logs.csv'
        | 'audit-logs.json'
        | 'audit-logs.ndjson'
        | 'user-sessions'
        | 'user-sessions.csv'
        | 'user-sessions.json'
        | 'user-sessions.ndjson'
        | 'refresh-tokens'
        | 'refresh-tokens.csv'
        | 'refresh-tokens.json'
        | 'refresh-tokens.ndjson'
        | 'step-up-challenges'
        | 'step-up-challenges.csv'
        | 'step-up-challenges.json'
        | 'step-up-challenges.ndjson'
        | 'security-events'
        | 'security-events.csv'
        | 'security-events.json'
        | 'security-events.ndjson'
        | 'staff-access'
        | 'staff-access.csv'
        | 'staff-access.json'
        | 'staff-access.ndjson'
      readonly from?: string | undefined
      readonly to?: string | undefined
      readonly device?: 'include' | 'omit' | undefined
    }
    readonly output: Response
  }

  /** The SOC 2 checklist, each statement evaluated now against the running system. */
  readonly getChecklist: {
    readonly input: Readonly<Record<never, never>>
    readonly output: {
      readonly evaluatedAt: string

      /** Counts are of so many of the newest events, and of the oldest and the newest rows of a table. */
      readonly window: number
      readonly summary: { readonly pass: number; readonly fail: number; readonly attention: number }
      readonly controls: readonly {
        readonly id: string
        readonly statement: string

        /** Trust Services Criteria. */
        readonly criteria: readonly string[]
        readonly verdict: 'pass' | 'fail' | 'attention'
        readonly evidence: Readonly<Record<string, string | number | boolean | readonly string[] | null>>

        /** Where the evidence is, under the base path of the API. */
        readonly link: string
      }[]
    }
  }

  /** Make the evidence bundle of a period: one ZIP that is verified offline.
   *
   * It holds every dataset and report, the checkpoints and proofs that cover its audit rows, the queries, the checklist, and a signed manifest. `sallyport verify` checks it. */
  readonly createEvidenceBundle: {
    readonly input: {
      readonly from?: string | undefined
      readonly to?: string | undefined
      readonly device?: 'include' | 'omit' | undefined
    }
    readonly output: Response
  }

  /** Act as another member, for half an hour at most.
   *
   * Never as an owner, as yourself, as a disabled member or as one who may do what you may not, and never from within an impersonation. There is no refresh token: the access token lives as long as the session. It ends at once with your own session, and with whatever ends yours or theirs. */
  readonly startImpersonation: {
    readonly input: { readonly staffId: string; readonly reason: string }
    readonly output: {
      readonly accessToken: string

      /** Seconds. */
      readonly expiresIn: number
      readonly session: Session
    }
  }

  /** Stop acting as another.
   *
   * Rests on the step-up of the start, whenever that was. Tokens of your own session are answered only where its refresh token came along, in the body or as its cookie, with whatever a refresh of it needs: its device, a DPoP proof. Otherwise refresh it yourself. */
  readonly exitImpersonation: {
    readonly input: {
      readonly refreshToken?: string | undefined

      /** A random id that the client keeps in storage. */
      readonly deviceFingerprint?: string | undefined

      /** A few plain values, as the client sees its device. */
      readonly deviceInfo?: Readonly<Record<string, string | number | boolean | null>> | undefined
    }
    readonly output: {
      readonly success: true
      readonly accessToken?: string

      /** Seconds. */
      readonly expiresIn?: number
      readonly refreshToken?: string
      readonly session?: Session
    }
  }

  /** The register: who acted as whom, why, when, and how it ended. */
  readonly listImpersonations: {
    readonly input: {
      /** The nextCursor of the page before. */
      readonly cursor?: string | undefined
      readonly limit?: number | undefined
    }
    readonly output: {
      readonly impersonations: readonly {
        readonly sessionId: string

        /** Who acted. */
        readonly realUser: { readonly id: string; readonly name: string }

        /** As whom. */
        readonly user: { readonly id: string; readonly name: string }
        readonly staffId: string
        readonly reason: string
        readonly ipAddress: string | null
        readonly startedAt: string
        readonly expiresAt: string

        /** Null while it lasts. */
        readonly endedAt: string | null

        /** `exit`, `expired`, or what ended the sessions behind it; null while it lasts. */
        readonly ended: string | null

        /** Where the rows are that were written meanwhile. */
        readonly events: string
      }[]
      readonly nextCursor: string | null
    }
  }

  /** List the rules, oldest first. */
  readonly listIpRules: {
    readonly input: Readonly<Record<never, never>>
    readonly output: { readonly rules: readonly ListedIpRule[]; readonly mode: 'enforce' | 'monitor' }
  }

  /** Add a rule.
   *
   * A matching DENY refuses with `IP_BLOCKED`. Where there are ALLOW rules and none matches, `IP_NOT_ALLOWED`. It holds from the next request on, for everybody; sessions that it keeps out are not ended. */
  readonly addIpRule: {
    readonly input: {
      readonly type: 'ALLOW' | 'DENY'

      /** A network, or an address for the network of it alone. */
      readonly cidr: string
      readonly label?: string | null | undefined
      readonly expiresAt?: string | null | undefined

      /** Do it even if it keeps you out. */
      readonly force?: boolean | undefined
    }
    readonly output: { readonly rule: IpRule }
  }

  /** Change a rule. What is left out stays. */
  readonly updateIpRule: {
    readonly input: {
      readonly ruleId: string
      readonly type?: 'ALLOW' | 'DENY' | undefined

      /** A network, or an address for the network of it alone. */
      readonly cidr?: string | undefined
      readonly label?: string | null | undefined
      readonly expiresAt?: string | null | undefined

      /** Do it even if it keeps you out. */
      readonly force?: boolean | undefined
    }
    readonly output: { readonly rule: IpRule }
  }

  /** Remove a rule. */
  readonly removeIpRule: {
    readonly input: {
      readonly ruleId: string

      /** Do it even if it keeps you out. */
      readonly force?: boolean | undefined
    }
    readonly output: { readonly success: true }
  }

  /** See whom a change would cut off, and change nothing.
   *
   * With the id of a rule and nothing else: what its removal would do. */
  readonly previewIpRule: {
    readonly input: {
      readonly ruleId?: string | undefined
      readonly type?: 'ALLOW' | 'DENY' | undefined

      /** A network, or an address for the network of it alone. */
      readonly cidr?: string | undefined
      readonly label?: string | null | undefined
      readonly expiresAt?: string | null | undefined
    }
    readonly output: {
      /** The network as it would be kept; null where a rule would go. */
      readonly cidr: string | null
      readonly wouldLockOut: boolean
      readonly cutOff: readonly {
        readonly sessionId: string
        readonly userId: string
        readonly userName: string
        readonly ipAddress: string | null
        readonly code: string
      }[]

      /** How many live sessions were looked at, newest seen first. */
      readonly looked: number
    }
  }

  /** The tenant's own limits and switches, and what holds. */
  readonly showSettings: {
    readonly input: Readonly<Record<never, never>>
    readonly output: SecuritySettings
  }

  /** Change limits and switches. What is left out stays.
   *
   * They may only tighten what the service allows. Null takes a limit back to that of the service. */
  readonly changeSettings: {
    readonly input: {
      readonly session?:
        | { readonly idle?: number | null | undefined; readonly maxLife?: number | null | undefined }
        | undefined
      readonly ipRules?:
        | {
            /** `monitor` only records what the rules would have refused. */
            readonly mode?: 'enforce' | 'monitor' | undefined
          }
        | undefined
      readonly impersonation?:
        | {
            /** Refuses whatever changes something while somebody acts as another. */
            readonly readOnly?: boolean | undefined

            /** Tells people by mail that somebody acts as them. */
            readonly notify?: boolean | undefined
          }
        | undefined
      readonly stepUp?:
        | {
            /** Whether a code by mail is a fallback for those who have enrolled no second factor. */
            readonly emailCodes?: boolean | undefined
          }
        | undefined

      /** Do it even if it keeps you out. */
      readonly force?: boolean | undefined
    }
    readonly output: SecuritySettings
  }
}
