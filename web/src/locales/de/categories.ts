import type en from '../en/categories'

export default {} satisfies typeof en
