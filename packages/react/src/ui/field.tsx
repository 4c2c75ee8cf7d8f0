/**
 * A labelled input with its hint, and what was wrong with what was typed.
 *
 * @module
 */

import { ChevronDown, CircleAlert, Eye, EyeOff, Search } from 'lucide-react'
import type { ComponentProps, ReactNode } from 'react'
import { useId, useState } from 'react'
import { useMessages } from '../context.ts'
import { Button } from './button.tsx'
import { classNames } from './class-names.ts'

/** What an input of a field is to carry. */
export interface FieldControl {
  readonly id: string
  readonly 'aria-describedby': string | undefined
  readonly 'aria-invalid': boolean | undefined
}

export interface FieldProps {
  readonly label: ReactNode
  readonly hint?: ReactNode
  /** Shown at the field, and read out when it appears. */
  readonly error?: string | undefined
  readonly optional?: boolean
  readonly className?: string
  readonly children: (control: FieldControl) => ReactNode
}

export function Field({ label, hint, error, optional = false, className, children }: FieldProps): ReactNode {
  const id = useId()
  const { common } = useMessages()
  const described = [hint === undefined ? '' : `${id}-hint`, error === undefined ? '' : `${id}-error`].filter(Boolean)
  return (
    <div className={classNames('sp-field', className)}>
      <label className="sp-label" htmlFor={id}>
        {label} {optional && <span className="sp-label-optional">{common.optional}</span>}
      </label>
      {children({
        id,
        'aria-describedby': described.length === 0 ? undefined : described.join(' '),
        'aria-invalid': error === undefined ? undefined : true,
      })}
      {hint !== undefined && (
        <p className="sp-hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
      <FieldError id={`${id}-error`} error={error} />
    </div>
  )
}

/** The region is there before the error, so that the error is read out. */
function FieldError({ id, error }: { readonly id: string; readonly error: string | undefined }): ReactNode {
  return (
    <div aria-live="polite">
      {error !== undefined && (
        <p className="sp-error" id={id}>
          <CircleAlert size={14} aria-hidden="true" />
          <span>{error}</span>
        </p>
      )}
    </div>
  )
}

type TextFieldProps = Omit<FieldProps, 'children'> & Omit<ComponentProps<'input'>, 'children' | 'className' | 'id'>

/** One line of text. */
export function TextField({ label, hint, error, optional, className, ...input }: TextFieldProps): ReactNode {
  return (
    <Field {...fieldProps({ label, hint, error, optional, className })}>
      {(control) => <input type="text" {...input} {...control} className="sp-input" />}
    </Field>
  )
}

/** A password, that can be looked at. */
export function PasswordField({ label, hint, error, optional, className, ...input }: TextFieldProps): ReactNode {
  const [shown, setShown] = useState(false)
  const { common } = useMessages()
  return (
    <Field {...fieldProps({ label, hint, error, optional, className })}>
      {(control) => (
        <div className="sp-input-group">
          <input
            autoCapitalize="none"
            spellCheck={false}
            {...input}
            {...control}
            type={shown ? 'text' : 'password'}
            className="sp-input"
          />
          <Button
            size="sm"
            variant="ghost"
            iconOnly
            aria-label={shown ? common.hidePassword : common.showPassword}
            aria-pressed={shown}
            icon={shown ? <EyeOff size={16} /> : <Eye size={16} />}
            onClick={() => setShown(!shown)}
          />
        </div>
      )}
    </Field>
  )
}

type AreaFieldProps = Omit<FieldProps, 'children'> & Omit<ComponentProps<'textarea'>, 'children' | 'className' | 'id'>

/** Several lines of text. */
export function AreaField({ label, hint, error, optional, className, ...area }: AreaFieldProps): ReactNode {
  return (
    <Field {...fieldProps({ label, hint, error, optional, className })}>
      {(control) => <textarea rows={3} {...area} {...control} className="sp-textarea" />}
    </Field>
  )
}

type SelectFieldProps = Omit<FieldProps, 'children'> & Omit<ComponentProps<'select'>, 'className' | 'id'>

/** One of a few. The browser's own list: at home on every device and with every assistive technology. */
export function SelectField({
  label,
  hint,
  error,
  optional,
  className,
  children,
  ...select
}: SelectFieldProps): ReactNode {
  return (
    <Field {...fieldProps({ label, hint, error, optional, className })}>
      {(control) => (
        <SelectBox {...select} {...control}>
          {children}
        </SelectBox>
      )}
    </Field>
  )
}

export interface SelectBoxProps extends Omit<ComponentProps<'select'>, 'className'> {
  /** Defaults to `md`. */
  readonly boxSize?: 'sm' | 'md'
}

/** The same without its label: for rows of filters, with an `aria-label`. */
export function SelectBox({ boxSize = 'md', ...select }: SelectBoxProps): ReactNode {
  return (
    <span className="sp-select-box">
      <select {...select} className={classNames('sp-select', boxSize === 'sm' && 'sp-select-sm')} />
      <ChevronDown size={15} aria-hidden="true" />
    </span>
  )
}

/** Leaves out what is not there, as exact optional properties want it. */
function fieldProps({
  label,
  hint,
  error,
  optional,
  className,
}: {
  readonly [K in keyof Omit<FieldProps, 'children'>]: FieldProps[K] | undefined
}): Omit<FieldProps, 'children'> {
  return {
    label,
    error,
    ...(hint === undefined ? {} : { hint }),
    ...(optional === undefined ? {} : { optional }),
    ...(className === undefined ? {} : { className }),
  }
}

export interface SearchInputProps extends Omit<ComponentProps<'input'>, 'className' | 'type'> {
  readonly 'aria-label': string
}

/** Searches while it is typed into. */
export function SearchInput(props: SearchInputProps): ReactNode {
  return (
    <div className="sp-input-group">
      <Search size={15} aria-hidden="true" />
      <input {...props} type="search" className="sp-input sp-input-sm sp-input-search" />
    </div>
  )
}

export interface CheckProps extends Omit<ComponentProps<'input'>, 'className' | 'id' | 'children'> {
  readonly label: ReactNode
  readonly hint?: ReactNode
}

/** A check box, or a radio button, with its label. */
export function Check({ label, hint, type = 'checkbox', ...input }: CheckProps): ReactNode {
  const id = useId()
  return (
    <div className="sp-check">
      <input {...input} type={type} id={id} aria-describedby={hint === undefined ? undefined : `${id}-hint`} />
      <label htmlFor={id}>{label}</label>
      {hint !== undefined && (
        <span className="sp-hint" id={`${id}-hint`}>
          {hint}
        </span>
      )}
    </div>
  )
}

export interface SegmentsProps<T extends string> {
  /** What is chosen, for assistive technology. */
  readonly label: string
  readonly value: T
  readonly options: readonly { readonly value: T; readonly label: ReactNode }[]
  readonly onChange: (value: T) => void
}

/** A choice among few, all of them in sight. */
export function Segments<T extends string>({ label, value, options, onChange }: SegmentsProps<T>): ReactNode {
  const name = useId()
  return (
    <div className="sp-segments" role="radiogroup" aria-label={label}>
      {options.map((option) => (
        <label key={option.value} className="sp-segment">
          <input
            type="radio"
            name={name}
            value={option.value}
            checked={option.value === value}
            onChange={() => onChange(option.value)}
          />
          <span>{option.label}</span>
        </label>
      ))}
    </div>
  )
}
