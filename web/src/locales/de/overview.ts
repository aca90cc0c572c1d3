import type en from '../en/overview'

export default {} satisfies typeof en
