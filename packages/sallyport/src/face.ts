/**
 * The engine without HTTP: every operation of an instance, for hosts that call it from their own code.
 *
 * @module
 */

import { erasePerson } from './audit/erase-person.ts'
import { logOf } from './audit/log.ts'
import type { FindEventsInput } from './audit/query.ts'
import { findEvents } from './audit/query.ts'
import type { AuditEvent } from './audit/record.ts'
import { recordEvent } from './audit/record-event.ts'
import type { ChangeMemberInput } from './directory/change-member.ts'
import { changeMember } from './directory/change-member.ts'
import { deleteUser } from './directory/delete-user.ts'
import type { AnyPermission } from './directory/permissions.ts'
import { removeMember } from './directory/remove-member.ts'
import { requirePermission } from './directory/require-permission.ts'
import type { EnsureMemberInput } from './directory/shadow.ts'
import { ensureMember } from './directory/shadow.ts'
import type { HostSignIn } from './directory/start-for-host.ts'
import { startForHost } from './directory/start-for-host.ts'
import type { Engine } from './engine.ts'
import type { BundleInput } from './evidence/create-bundle.ts'
import { createBundle } from './evidence/create-bundle.ts'
import { evaluateChecklist } from './evidence/evaluate-checklist.ts'
import type { ExportInput } from './evidence/export-dataset.ts'
import { exportDataset } from './evidence/export-dataset.ts'
import type { Requester } from './evidence/requester.ts'
import { machineAsking, personAsking } from './evidence/requester.ts'
import type { SessionId, StaffId, UserId } from './ids.ts'
import type { ExitImpersonationInput } from './impersonation/exit.ts'
import { exitImpersonation } from './impersonation/exit.ts'
import type { ImpersonationLimits } from './impersonation/limits.ts'
import { checkImpersonation } from './impersonation/limits.ts'
import { listImpersonations } from './impersonation/register.ts'
import type { StartImpersonationInput } from './impersonation/start.ts'
import { startImpersonation } from './impersonation/start.ts'
import { addIpRule, removeIpRule, updateIpRule } from './ip-rules/change.ts'
import { clearIpRules } from './ip-rules/clear.ts'
import { listIpRules } from './ip-rules/list.ts'
import type { IpRulePreviewInput } from './ip-rules/preview.ts'
import { previewIpRule } from './ip-rules/preview.ts'
import { newId } from './ids.ts'
import type { Duration } from './internal/duration.ts'
import type { RequestFacts } from './internal/request-facts.ts'
import type { Job } from './jobs/job.ts'
import { JOBS, jobNamed } from './jobs/jobs.ts'
import type { RunJobOptions } from './jobs/run-job.ts'
import { runJob } from './jobs/run-job.ts'
import type { RefreshInput } from './refresh-tokens/refresh.ts'
import { refresh } from './refresh-tokens/refresh.ts'
import { consumeAndVerifyRefreshToken } from './refresh-tokens/token-level/consume-and-verify.ts'
import { generateRefreshToken } from './refresh-tokens/token-level/generate.ts'
import type { TokenOwner } from './refresh-tokens/token-level/owner.ts'
import { revokeAllRefreshTokens } from './refresh-tokens/token-level/revoke-all.ts'
import { revokeRefreshToken } from './refresh-tokens/token-level/revoke.ts'
import { rotateInPlaceRefreshToken } from './refresh-tokens/token-level/rotate-in-place.ts'
import { rotateOneUseRefreshToken } from './refresh-tokens/token-level/rotate-one-use.ts'
import { verifyRefreshToken } from './refresh-tokens/token-level/verify.ts'
import type { Caller } from './sessions/caller.ts'
import { forceLogout } from './sessions/force-logout.ts'
import type { IssuedSession } from './sessions/issued.ts'
import type { ListSessionsInput } from './sessions/list.ts'
import { listSessions } from './sessions/list.ts'
import type { LogoutInput } from './sessions/logout.ts'
import { logout } from './sessions/logout.ts'
import { revokeSession } from './sessions/revoke.ts'
import { revokeOtherSessions } from './sessions/revoke-others.ts'
import type { SteppingUp } from './step-up/actor.ts'
import type { CompleteSignInInput } from './step-up/complete-sign-in.ts'
import { completeSignIn } from './step-up/complete-sign-in.ts'
import { passkeyOptions } from './step-up/passkey-options.ts'
import type { Purpose } from './step-up/purposes.ts'
import type { RequireStepUpOptions } from './step-up/require.ts'
import { requireStepUp } from './step-up/require.ts'
import { sendEmailCode } from './step-up/send-email-code.ts'
import { readStepUpToken } from './step-up/step-up-token.ts'
import type { GivenFactor, VerifyStepUpInput } from './step-up/verify.ts'
import { verifyRiskStepUp, verifyStepUp } from './step-up/verify.ts'
import type { HostTransaction } from './store/contract/audit.ts'
import type { JobRun } from './store/contract/jobs.ts'
import { changeSettings, showSettings } from './tenant-settings/change.ts'

/** What a host knows of its request. The correlation id is made where the host has none. */
export type HostRequest = Omit<RequestFacts, 'correlationId'> & { readonly correlationId?: string | undefined }

type FromHost<T extends { readonly request: RequestFacts }> = Omit<T, 'request'> & { readonly request: HostRequest }

/** Who steps up: a session, or whoever was answered 428, by the token that the answer had. */
export type HostSteppingUp = Caller | { readonly stepUpToken: string }

/** What a step-up can be for: a purpose of the session, or what the token of a 428 was handed out for. */
type AskedPurpose<HostPurpose extends string> = Purpose<HostPurpose> | 'session_risk' | 'sign_in'

/** @param ready Resolves to the parts once the instance has started. */
export function engineFace<HostPermission extends string = never, HostPurpose extends string = never>(
  ready: () => Promise<Engine>,
) {
  const withRequest = <T extends { readonly request: HostRequest }>(input: T) => ({
    ...input,
    request: factsOf(input.request),
  })

  return {
    /**
     * Lets an operation through only for a caller who holds a permission: built in, or one that the host registered.
     *
     * @throws SallyportError `FORBIDDEN`.
     */
    requirePermission: (caller: Caller, permission: AnyPermission<HostPermission>): void =>
      requirePermission(caller, permission),
    sessions: {
      /**
       * Starts a session for someone whom the host's own sign-in or SSO has authenticated, and keeps the shadow rows of
       * tenant, user and member in step. The sign-in is scored like any other: hand the facts of a `STEP_UP_REQUIRED` to the client,
       * and what it gives to `stepUp.completeSignIn`.
       *
       * @throws SallyportError as {@link startForHost} says.
       */
      create: async (input: FromHost<HostSignIn>): Promise<IssuedSession> =>
        startForHost(await ready(), withRequest(input)),
      list: async (caller: Caller, input?: ListSessionsInput) => listSessions(await ready(), caller, input),
      revoke: async (caller: Caller, sessionId: SessionId, request: HostRequest = {}) =>
        revokeSession(await ready(), caller, sessionId, factsOf(request)),
      revokeOthers: async (caller: Caller, request: HostRequest = {}) =>
        revokeOtherSessions(await ready(), caller, factsOf(request)),
      forceLogout: async (caller: Caller, userId: UserId, request: HostRequest = {}) =>
        forceLogout(await ready(), caller, userId, factsOf(request)),
      logout: async (input: FromHost<LogoutInput>) => logout(await ready(), withRequest(input)),
    },
    tokens: {
      refresh: async (input: FromHost<RefreshInput>) => refresh(await ready(), withRequest(input)),
      generateRefreshToken: async (ttl: Duration, owner: TokenOwner, sessionStartedAt?: Date) =>
        generateRefreshToken(await ready(), ttl, owner, sessionStartedAt),
      verifyRefreshToken: async (raw: unknown) => verifyRefreshToken(await ready(), raw),
      consumeAndVerifyRefreshToken: async (raw: unknown) => consumeAndVerifyRefreshToken(await ready(), raw),
      revokeRefreshToken: async (raw: unknown) => revokeRefreshToken(await ready(), raw),
      revokeAllRefreshTokens: async (userId: UserId) => revokeAllRefreshTokens(await ready(), userId),
      rotateOneUseRefreshToken: async (ttl: Duration, userId: UserId, raw: unknown) =>
        rotateOneUseRefreshToken(await ready(), ttl, userId, raw),
      rotateInPlaceRefreshToken: async (ttl: Duration, userId: UserId, raw: unknown) =>
        rotateInPlaceRefreshToken(await ready(), ttl, userId, raw),
    },
    stepUp: {
      /**
       * Lets an operation through only where this session has passed the purpose in time: built in, or one that the host registered.
       *
       * @throws SallyportError `STEP_UP_REQUIRED` with the purpose and the factors that would do; `NOT_WHILE_IMPERSONATING`.
       */
      require: async (caller: Caller, purpose: Purpose<HostPurpose>, options?: RequireStepUpOptions) =>
        requireStepUp(await ready(), caller, purpose, options),
      verify: async (
        caller: Caller,
        input: FromHost<Omit<VerifyStepUpInput, 'purpose'> & { readonly purpose: Purpose<HostPurpose> }>,
      ) => verifyStepUp(await ready(), caller, withRequest(input)),
      /**
       * Takes the second factor that a session waits for since its risk was seen. The refresh that was answered 428 then passes.
       *
       * @param stepUpToken Of that answer.
       * @throws SallyportError as {@link verifyRiskStepUp} does; `INVALID_TOKEN`, `TOKEN_EXPIRED`.
       */
      async verifyRisk(stepUpToken: string, input: FromHost<GivenFactor>) {
        const engine = await ready()
        const claims = await readStepUpToken(engine, stepUpToken)
        return verifyRiskStepUp(engine, claims, { ...withRequest(input), purpose: 'session_risk' })
      },
      /**
       * Takes the second factor of a sign-in that was answered `STEP_UP_REQUIRED`, and starts its session.
       *
       * @throws SallyportError as {@link completeSignIn} does.
       */
      completeSignIn: async (input: FromHost<CompleteSignInInput>): Promise<IssuedSession> =>
        (await completeSignIn(await ready(), withRequest(input))).issued,
      /**
       * Sends a code by mail for one purpose of this session, or of the session or sign-in that waits.
       *
       * @throws SallyportError as {@link sendEmailCode} does.
       */
      async sendEmailCode(
        by: HostSteppingUp,
        input: { readonly purpose: AskedPurpose<HostPurpose>; readonly request: HostRequest },
      ): Promise<void> {
        const engine = await ready()
        await sendEmailCode(engine, await steppingUp(engine, by), withRequest(input))
      },
      /**
       * What the browser is to sign with a passkey, for one purpose of this session, or of the session or sign-in that waits.
       *
       * @throws SallyportError as {@link passkeyOptions} does.
       */
      async passkeyOptions(by: HostSteppingUp, input: { readonly purpose: AskedPurpose<HostPurpose> }) {
        const engine = await ready()
        return passkeyOptions(engine, await steppingUp(engine, by), input)
      },
    },
    directory: {
      ensureMember: async (input: EnsureMemberInput) => ensureMember(await ready(), input),
      changeMember: async (caller: Caller, input: FromHost<ChangeMemberInput>) =>
        changeMember(await ready(), caller, withRequest(input)),
      removeMember: async (caller: Caller, staffId: StaffId, request: HostRequest = {}) =>
        removeMember(await ready(), caller, { staffId, request: factsOf(request) }),
      deleteUser: async (userId: UserId, request: HostRequest = {}) =>
        deleteUser(await ready(), userId, { request: factsOf(request) }),
    },
    impersonation: {
      start: async (caller: Caller, input: FromHost<StartImpersonationInput>) =>
        startImpersonation(await ready(), caller, withRequest(input)),
      exit: async (caller: Caller, input: FromHost<ExitImpersonationInput>) =>
        exitImpersonation(await ready(), caller, withRequest(input)),
      /** Refuses what may not be done while somebody acts as another; for any other caller it passes. */
      async check(caller: Caller, limits: ImpersonationLimits): Promise<void> {
        if (caller.kind === 'impersonation') await checkImpersonation(await ready(), caller, limits)
      },
      list: async (caller: Caller, input?: Parameters<typeof listImpersonations>[2]) =>
        listImpersonations(await ready(), caller, input),
    },
    ipRules: {
      list: async (caller: Caller) => listIpRules(await ready(), caller),
      add: async (caller: Caller, input: FromHost<Parameters<typeof addIpRule>[2]>) =>
        addIpRule(await ready(), caller, withRequest(input)),
      update: async (caller: Caller, input: FromHost<Parameters<typeof updateIpRule>[2]>) =>
        updateIpRule(await ready(), caller, withRequest(input)),
      remove: async (caller: Caller, input: FromHost<Parameters<typeof removeIpRule>[2]>) =>
        removeIpRule(await ready(), caller, withRequest(input)),
      preview: async (caller: Caller, input: FromHost<IpRulePreviewInput>) =>
        previewIpRule(await ready(), caller, withRequest(input)),
      /** Removes every rule of a tenant, by id or slug: for the operator of a tenant that locked itself out. */
      clear: async (tenant: string, by?: { readonly actor: string }) => clearIpRules(await ready(), tenant, by),
    },
    settings: {
      show: async (caller: Caller) => showSettings(await ready(), caller),
      change: async (caller: Caller, input: FromHost<Parameters<typeof changeSettings>[2]>) =>
        changeSettings(await ready(), caller, withRequest(input)),
    },
    audit: {
      /**
       * Writes the host's own event; with `tx`, a transaction of the host's Drizzle on the same database, in that transaction.
       *
       * @throws TypeError for a value without a canonical form, or an action that is not defined.
       */
      record: async (event: AuditEvent, tx?: HostTransaction) => recordEvent(await ready(), event, tx),
      /** Events of the caller's tenant, newest first. */
      find: async (caller: Caller, input?: FindEventsInput) => findEvents(await ready(), caller, input),
      /**
       * Takes a person's data out of the audit rows that they are in, and leaves ids, leaves and proofs. After
       * `directory.deleteUser`.
       *
       * @param ids The user id, and other ids that rows name the person by, such as that of a membership.
       */
      erasePerson: async (ids: readonly string[]) => erasePerson(await ready(), ids),
      /** Seals what waits of a log and signs it. `null`: the service's own log. @returns The signed note. */
      async checkpoint(tenantId: string | null): Promise<string | undefined> {
        const { sealer } = await ready()
        return (await sealer.checkpoint(logOf(tenantId)))?.note
      },
    },
    compliance: {
      /**
       * Starts the export of a dataset. The host has asked for permission and step-up before.
       *
       * @throws SallyportError `INVALID_RANGE`, `CONFLICT` (reason `export_running`), `UNAVAILABLE`.
       */
      export: async (by: Caller | MachineRequester, input: ExportInput, request: HostRequest = {}) =>
        exportDataset(await ready(), requesterOf(by, request), input),
      /** Starts the evidence bundle of a period: a ZIP. @throws SallyportError as `export`. */
      bundle: async (by: Caller | MachineRequester, input: BundleInput = {}, request: HostRequest = {}) =>
        createBundle(await ready(), requesterOf(by, request), input),
      /** Holds every control statement against the running system. */
      async checklist(tenantId: string) {
        const engine = await ready()
        return evaluateChecklist(engine, tenantId, engine.routes)
      },
    },
    jobs: {
      /**
       * Runs a job now, unless another process does: for hosts with a cron of their own.
       *
       * @throws SallyportError `NOT_FOUND` for a name that no job has.
       */
      run: async (name: string, runOptions?: RunJobOptions) => runJob(await ready(), jobNamed(name), runOptions),
      /** The jobs there are, each with its latest runs, newest first. */
      async list({ runs = 1 }: { readonly runs?: number } = {}): Promise<readonly ListedJob[]> {
        const { jobs } = (await ready()).store
        return Promise.all(
          JOBS.map(async ({ name, summary, everyMs }) => ({
            name,
            summary,
            everyMs,
            runs: await jobs.runs({ job: name, limit: runs }),
          })),
        )
      },
    },
  }
}

async function steppingUp(engine: Engine, by: HostSteppingUp): Promise<SteppingUp> {
  return 'stepUpToken' in by ? { claims: await readStepUpToken(engine, by.stepUpToken) } : { caller: by }
}

/** A machine that asks for evidence: a cron, the command line. */
export interface MachineRequester {
  readonly tenantId: string
  /** What its audit rows say in `metadata.actor`. */
  readonly machine: string
}

function requesterOf(by: Caller | MachineRequester, request: HostRequest): Requester {
  return 'machine' in by ? machineAsking(by.tenantId, by.machine) : personAsking(by, factsOf(request))
}

/** A job with its latest runs. */
export interface ListedJob extends Pick<Job, 'name' | 'summary' | 'everyMs'> {
  readonly runs: readonly JobRun[]
}

/** The operations of an instance, without HTTP. */
export type EngineFace<HostPermission extends string = never, HostPurpose extends string = never> = ReturnType<
  typeof engineFace<HostPermission, HostPurpose>
>

function factsOf(request: HostRequest): RequestFacts {
  return { ...request, correlationId: request.correlationId ?? newId<string>() }
}
