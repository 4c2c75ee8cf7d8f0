/**
 * Whether an event is sealed, and whether the proof of it holds, as this browser has computed.
 *
 * @module
 */

import type { AuditEvent } from '@sallyport/client'
import { Download } from 'lucide-react'
import type { ReactNode } from 'react'
import { useMessages } from '../context.ts'
import { Time } from '../format/time.tsx'
import { useErrorText } from '../hooks/errors.ts'
import { useProofFile } from '../hooks/use-export.ts'
import type { CheckedProof, Proof } from '../hooks/use-proof.ts'
import { useProof } from '../hooks/use-proof.ts'
import { Button } from '../ui/button.tsx'
import { Callout, Skeleton } from '../ui/surface.tsx'

export function SealState({ event }: { readonly event: AuditEvent }): ReactNode {
  const { audit: texts } = useMessages()
  const text = useErrorText()
  const proof = useProof(event)
  return (
    <div className="sp-seal" aria-live="polite" aria-busy={proof.loading}>
      {proof.loading && (
        <>
          <span className="sp-visually-hidden">{texts.proofChecking}</span>
          <Skeleton height={76} />
        </>
      )}
      {proof.data === undefined && proof.error !== undefined && (
        <Callout tone="warn" title={texts.proofNone}>
          {text(proof.error)}
        </Callout>
      )}
      {proof.data !== undefined && <Verdict event={event} checked={proof.data} trust={proof.trust} />}
    </div>
  )
}

interface VerdictProps {
  readonly event: AuditEvent
  readonly checked: CheckedProof
  readonly trust: Proof['trust']
}

function Verdict({ event, checked, trust }: VerdictProps): ReactNode {
  const { audit: texts } = useMessages()
  switch (checked.kind) {
    case 'holds':
      return (
        <Callout tone="ok" title={texts.proofHolds}>
          <p>{texts.proofHoldsText(checked.leafIndex, checked.treeSize)}</p>
          <ProofFacts event={event} checked={checked} />
        </Callout>
      )
    case 'fails':
      return (
        <Callout tone="danger" title={texts.proofFails}>
          {texts.proofFaults[checked.fault]}
        </Callout>
      )
    case 'key-changed':
      return (
        <Callout tone="danger" title={texts.proofKeyChanged}>
          <p>{texts.proofKeyChangedText}</p>
          <p className="sp-mono sp-tiny sp-break">{checked.offered}</p>
          <Button
            size="sm"
            busy={trust.busy}
            onClick={() => void trust.run({ origin: checked.origin, vkey: checked.offered })}
          >
            {texts.proofTrust}
          </Button>
        </Callout>
      )
    case 'erased':
      return <Callout title={texts.proofSigned}>{texts.proofErased}</Callout>
    case 'unsupported':
      return <Callout tone="warn">{texts.proofUnsupported}</Callout>
  }
}

interface ProofFactsProps {
  readonly event: AuditEvent
  readonly checked: Extract<CheckedProof, { readonly kind: 'holds' }>
}

function ProofFacts({ event, checked }: ProofFactsProps): ReactNode {
  const { audit: texts } = useMessages()
  const file = useProofFile()
  const text = useErrorText()
  return (
    <>
      <details className="sp-steps">
        <summary>{texts.proofSteps}</summary>
        <dl className="sp-definitions">
          <dt>{texts.proofLeaf}</dt>
          <dd className="sp-mono sp-tiny">{checked.leaf}</dd>
          <dt>{texts.proofRoot}</dt>
          <dd className="sp-mono sp-tiny">{checked.root}</dd>
          <dt>{texts.proofKey}</dt>
          <dd className="sp-mono sp-tiny">{checked.key.vkey}</dd>
          <dt>{texts.proofPinned}</dt>
          <dd>
            <Time value={checked.key.since} exact />
          </dd>
        </dl>
      </details>
      <div className="sp-row">
        <Button
          size="sm"
          busy={file.busy}
          icon={<Download size={14} aria-hidden="true" />}
          onClick={() => void file.run(event.id)}
        >
          {texts.proofFile}
        </Button>
        {file.error !== undefined && <span className="sp-error">{text(file.error)}</span>}
      </div>
    </>
  )
}
