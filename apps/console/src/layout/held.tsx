/**
 * A session that is there and cannot go on: a second factor was not given, or the address is not let in.
 *
 * @module
 */

import { useAction, useErrorText, useResume, useSallyport } from '@sallyport/react'
import { Button, Card, Empty } from '@sallyport/react/ui'
import { ShieldAlert } from 'lucide-react'
import type { ReactNode } from 'react'
import { Page } from '../parts/page.tsx'

export function Held(): ReactNode {
  const { client } = useSallyport()
  const { error, retry } = useResume()
  const text = useErrorText()
  const again = useAction(retry)
  const signOut = useAction(() => client.signOut())
  if (error === undefined) return null
  const waits = error.code === 'STEP_UP_CANCELLED'
  return (
    <Page title="Your session is held">
      <Card className="sp-scope">
        <Empty
          icon={<ShieldAlert size={22} aria-hidden="true" />}
          title={waits ? 'It waits for your second factor' : 'It cannot go on from here'}
          text={waits ? 'Something about it was unusual. Verify that it is you, or sign out.' : text(error)}
          actions={
            <>
              <Button busy={signOut.busy} onClick={() => void signOut.run()}>
                Sign out
              </Button>
              <Button variant="primary" busy={again.busy} onClick={() => void again.run()}>
                {waits ? 'Verify' : 'Try again'}
              </Button>
            </>
          }
        />
      </Card>
    </Page>
  )
}
