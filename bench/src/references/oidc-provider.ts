/**
 * node-oidc-provider on PostgreSQL: its refresh_token grant with rotation, over an adapter of one table.
 *
 * Set up to do the least that is comparable: a public client, no ID token, the access token a signed JWT that it does not
 * store.
 *
 * @module
 */

import { createServer, type Server } from 'node:http'
import { exportJWK, generateKeyPair } from 'jose'
import Provider, { type Adapter, type AdapterPayload } from 'oidc-provider'
import pg from 'pg'
import { administer } from '../database.ts'
import { CLIENT_ID } from '../servers/start.ts'

const RESOURCE = 'http://127.0.0.1/api'
const SCOPE = 'projects:read'

const OIDC_TABLE = `
  create table oidc_models (
    id text not null, model text not null, payload jsonb not null, grant_id text, uid text, user_code text,
    expires_at timestamptz, consumed_at timestamptz, primary key (model, id));
  create index on oidc_models (grant_id) where grant_id is not null;
  create index on oidc_models (uid) where uid is not null;
  create index on oidc_models (user_code) where user_code is not null`

interface ModelRow {
  readonly payload: AdapterPayload
  readonly consumed: number | null
}

const FIND = `select payload, extract(epoch from consumed_at)::int8 as consumed from oidc_models
  where model = $1 and (expires_at is null or expires_at > now())`

/** Each method one prepared statement. */
function adapterOn(pool: pg.Pool): new (model: string) => Adapter {
  const run = (name: string, text: string, values: unknown[]) => pool.query<ModelRow>({ name, text, values })
  const payloadOf = ({ rows: [row] }: { rows: ModelRow[] }): AdapterPayload | undefined =>
    row && { ...row.payload, ...(row.consumed === null ? {} : { consumed: Number(row.consumed) }) }
  return class PostgresAdapter implements Adapter {
    readonly #model: string

    constructor(model: string) {
      this.#model = model
    }

    async upsert(id: string, payload: AdapterPayload, expiresIn: number): Promise<void> {
      await run(
        'oidc_upsert',
        `insert into oidc_models (model, id, payload, grant_id, uid, user_code, expires_at)
         values ($1, $2, $3, $4, $5, $6, now() + $7::float8 * interval '1 second')
         on conflict (model, id) do update set payload = excluded.payload, grant_id = excluded.grant_id,
           uid = excluded.uid, user_code = excluded.user_code, expires_at = excluded.expires_at`,
        [this.#model, id, payload, payload.grantId, payload.uid, payload.userCode, expiresIn ?? null],
      )
    }

    async find(id: string): Promise<AdapterPayload | undefined> {
      return payloadOf(await run('oidc_find', `${FIND} and id = $2`, [this.#model, id]))
    }

    async findByUid(uid: string): Promise<AdapterPayload | undefined> {
      return payloadOf(await run('oidc_find_by_uid', `${FIND} and uid = $2`, [this.#model, uid]))
    }

    async findByUserCode(code: string): Promise<AdapterPayload | undefined> {
      return payloadOf(await run('oidc_find_by_code', `${FIND} and user_code = $2`, [this.#model, code]))
    }

    async consume(id: string): Promise<void> {
      await run('oidc_consume', 'update oidc_models set consumed_at = now() where model = $1 and id = $2', [
        this.#model,
        id,
      ])
    }

    async destroy(id: string): Promise<void> {
      await run('oidc_destroy', 'delete from oidc_models where model = $1 and id = $2', [this.#model, id])
    }

    async revokeByGrantId(grantId: string): Promise<void> {
      await run('oidc_revoke', 'delete from oidc_models where grant_id = $1', [grantId])
    }
  }
}

/** The server, and `count` refresh tokens of as many accounts. */
export async function oidcProvider(url: string, count: number): Promise<{ server: Server; tokens: string[] }> {
  await administer(url, OIDC_TABLE)
  const pool = new pg.Pool({ connectionString: url, max: 10 })
  const { privateKey } = await generateKeyPair('EdDSA', { extractable: true })
  const provider = new Provider('http://127.0.0.1', {
    adapter: adapterOn(pool),
    clients: [
      {
        client_id: CLIENT_ID,
        token_endpoint_auth_method: 'none',
        grant_types: ['authorization_code', 'refresh_token'],
        redirect_uris: ['http://127.0.0.1/callback'],
        response_types: ['code'],
        id_token_signed_response_alg: 'EdDSA',
      },
    ],
    jwks: { keys: [{ ...(await exportJWK(privateKey)), alg: 'EdDSA', use: 'sig' }] },
    scopes: ['openid', 'offline_access', SCOPE],
    rotateRefreshToken: true,
    issueRefreshToken: () => true,
    findAccount: (_context, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
    ttl: { AccessToken: 600, RefreshToken: 259_200, Grant: 2_592_000 },
    features: {
      devInteractions: { enabled: false },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => RESOURCE,
        useGrantedResource: () => true,
        getResourceServerInfo: () => ({
          scope: SCOPE,
          audience: RESOURCE,
          accessTokenFormat: 'jwt',
          accessTokenTTL: 600,
          jwt: { sign: { alg: 'EdDSA' } },
        }),
      },
    },
  })
  const client = await provider.Client.find(CLIENT_ID)
  if (client === undefined) throw new TypeError('the client was not registered')
  const tokens: string[] = []
  for (let n = 0; n < count; n++) {
    const accountId = `member-${n}`
    const grant = new provider.Grant({ accountId, clientId: CLIENT_ID })
    grant.addResourceScope(RESOURCE, SCOPE)
    const grantId = await grant.save()
    const token = new provider.RefreshToken({
      accountId,
      client,
      grantId,
      gty: 'authorization_code',
      resource: RESOURCE,
      scope: SCOPE,
      rotations: 0,
      iiat: Math.floor(Date.now() / 1000),
    } as unknown as ConstructorParameters<typeof provider.RefreshToken>[0])
    tokens.push(await token.save())
  }
  const answer = provider.callback()
  return { server: createServer((request, response) => void answer(request, response)), tokens }
}
